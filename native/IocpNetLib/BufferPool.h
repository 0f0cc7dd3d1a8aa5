// Buffers of one size, lent to connections while these need them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace NetLib {

// A connection that is idle holds no buffer. The one that was given back last is lent first: its memory is still in the
// cache. Not thread-safe.
class BufferPool {
public:
    // size: bytes of each buffer.
    explicit BufferPool(uint32_t size) noexcept : m_Size(size) {}

    // Null when there is no memory.
    [[nodiscard]] std::unique_ptr<std::byte[]> Take() noexcept;
    void Give(std::unique_ptr<std::byte[]> buffer) noexcept;

    // Frees the buffers that were not needed since the last Trim. To be called now and then: so the pool keeps what the
    // traffic needs, and what a peak needed goes back to the system.
    void Trim() noexcept;

private:
    const uint32_t m_Size;
    size_t m_LeastFree = 0; // since the last Trim
    std::vector<std::unique_ptr<std::byte[]>> m_Free;
};

} // namespace NetLib
