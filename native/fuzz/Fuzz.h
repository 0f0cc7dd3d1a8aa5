// What the fuzzers share: reading their input, and failing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <span>
#include <vector>

namespace NetLib::Fuzz {

// Streams are as long, and rings half as large: a larger ring would not go round, and AddressSanitizer maps and unmaps
// memory for it each time, which makes a fuzzer ten times slower.
inline constexpr uint32_t MaxStream = 1 << 18;
inline constexpr uint32_t MaxRing = 130'000;

// Ends the process, which libFuzzer reports together with the input, if a promise does not hold.
inline void Require(bool holds, const char* promise, const std::source_location where = std::source_location::current())
{
    if (holds)
        return;
    std::fprintf(stderr, "%s:%u: does not hold: %s\n", where.file_name(), static_cast<unsigned>(where.line()), promise);
    std::abort();
}

// The fuzzer's bytes as numbers, little-endian. Behind their end it goes on with zeros, so that every input is a
// program, and each of its beginnings, too.
class Input {
public:
    Input(const uint8_t* data, size_t size) noexcept : m_Rest(data, size) {}

    [[nodiscard]] bool IsEmpty() const noexcept { return m_Rest.empty(); }

    template <typename Number>
    [[nodiscard]] Number Take() noexcept
    {
        const auto bytes = TakeBytes(sizeof(Number));
        Number number{};
        if (!bytes.empty())
            std::memcpy(&number, bytes.data(), bytes.size());
        return number;
    }
    [[nodiscard]] std::span<const std::byte> TakeBytes(size_t most) noexcept
    {
        const auto bytes = m_Rest.first(std::min(most, m_Rest.size()));
        m_Rest = m_Rest.subspan(bytes.size());
        return std::as_bytes(bytes);
    }
    // A number from min to max.
    [[nodiscard]] uint32_t Between(uint32_t min, uint32_t max) noexcept
    {
        const uint32_t range = max - min;
        const uint32_t number = range <= 0xFF ? Take<uint8_t>() : range <= 0xFFFF ? Take<uint16_t>() : Take<uint32_t>();
        return min + static_cast<uint32_t>(number % (uint64_t{range} + 1));
    }

private:
    std::span<const uint8_t> m_Rest;
};

// The byte at a position of a stream: one that was lost, moved or overwritten shows.
[[nodiscard]] constexpr std::byte StreamByte(uint64_t position) noexcept
{
    return static_cast<std::byte>((position * 0x9E3779B97F4A7C15u) >> 56);
}

// size bytes of that stream, from a position on. They are computed once: speed is what a fuzzer lives on.
[[nodiscard]] inline std::span<const std::byte> StreamBytes(size_t position, size_t size)
{
    static std::vector<std::byte> stream;
    while (stream.size() < position + size)
        stream.push_back(StreamByte(stream.size()));
    return std::span<const std::byte>(stream).subspan(position, size);
}

[[nodiscard]] inline bool IsSame(std::span<const std::byte> a, std::span<const std::byte> b) noexcept
{
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

} // namespace NetLib::Fuzz
