// Buffers by size, for what must outlast a turn of the loop.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace Peers {

// A buffer of a pool. A plain value: whoever has it gives it back to the pool, once.
struct Buffer {
    std::byte* Data = nullptr; // nullptr: none
    std::uint8_t SizeClass = 0;
};

// Gives buffers of 256 bytes, doubled as often as needed, and takes them back. The last one given back is the next one
// given, because its memory is likely to be in the cache. Memory is allocated in slabs, which live as long as the pool.
// One thread.
class BufferPool {
public:
    // A buffer of at least size bytes, uninitialised.
    [[nodiscard]] Buffer Take(std::size_t size)
    {
        const std::uint8_t sizeClass = ClassOf(size);
        std::vector<std::byte*>& free = m_Free[sizeClass];
        if (free.empty()) [[unlikely]] {
            AddSlab(sizeClass);
        }
        std::byte* const data = free.back();
        free.pop_back();
        return {data, sizeClass};
    }

    // Does nothing for an empty buffer.
    void GiveBack(Buffer buffer)
    {
        if (buffer.Data != nullptr) {
            m_Free[buffer.SizeClass].push_back(buffer.Data);
        }
    }

    // In bytes.
    [[nodiscard]] static std::size_t Capacity(Buffer buffer) noexcept { return SizeOf(buffer.SizeClass); }

private:
    static constexpr std::size_t Smallest = 256;
    static constexpr std::size_t SlabSize = 256 * 1024;

    static std::size_t SizeOf(std::uint8_t sizeClass) noexcept { return Smallest << sizeClass; }
    static std::uint8_t ClassOf(std::size_t size) noexcept
    {
        return size <= Smallest ? 0 : static_cast<std::uint8_t>(std::bit_width((size - 1) / Smallest));
    }

    void AddSlab(std::uint8_t sizeClass)
    {
        const std::size_t size = SizeOf(sizeClass);
        const std::size_t count = size < SlabSize ? SlabSize / size : 1;
        m_Slabs.push_back(std::make_unique_for_overwrite<std::byte[]>(size * count));
        for (std::size_t i = count; i > 0; --i) { // so that the first ones are given first
            m_Free[sizeClass].push_back(m_Slabs.back().get() + (i - 1) * size);
        }
    }

    std::array<std::vector<std::byte*>, 24> m_Free; // by size class
    std::vector<std::unique_ptr<std::byte[]>> m_Slabs;
};

} // namespace Peers
