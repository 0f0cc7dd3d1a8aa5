// Cuts a byte stream into packets. All that the core knows of a packet: its first two bytes are its length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace NetLib {

inline constexpr uint32_t PacketHeaderLength = 5; // u16 PacketLength, u16 PacketId, u8 Type

struct Frame {
    enum class Status : uint8_t { Complete, Incomplete, TooShort, TooLong };

    Status Result;
    uint32_t Size; // Complete: bytes of the packet, header included; TooShort, TooLong: what the header claims
};

// Looks at the packet that stream begins with. A length that no packet can have is reported as soon as its two bytes
// are there, so that a wrong client is not waited for.
[[nodiscard]] constexpr Frame NextFrame(std::span<const std::byte> stream, uint32_t maxPacketSize) noexcept
{
    if (stream.size() < 2)
        return {Frame::Status::Incomplete, 0};
    const uint32_t length = std::to_integer<uint32_t>(stream[0]) | (std::to_integer<uint32_t>(stream[1]) << 8);
    if (length < PacketHeaderLength)
        return {Frame::Status::TooShort, length};
    if (length > maxPacketSize)
        return {Frame::Status::TooLong, length};
    return {stream.size() < length ? Frame::Status::Incomplete : Frame::Status::Complete, length};
}

} // namespace NetLib
