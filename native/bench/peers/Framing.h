// Packets out of a stream: each begins with its length, header included, as a little-endian u16.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "Connection.h"
#include "Turn.h"

namespace Peers {

constexpr std::size_t HeaderSize = 5;

// The u16 at the beginning of data, of which there are 2 bytes at least.
[[nodiscard]] inline std::size_t LoadU16(const std::byte* data) noexcept
{
    return std::to_integer<std::size_t>(data[0]) | std::to_integer<std::size_t>(data[1]) << 8;
}

// Calls service.HandlePacket(index, packet) for each packet that received completes. A packet is handled where it was
// received, and must stay there until the turn ends; the beginning of one whose rest has not come is copied. False: the
// service refused a packet, or a length is under HeaderSize or over maxPacketSize: the connection is to be closed.
template <class Service>
[[nodiscard]] bool FrameStream(Service& service, Turn& turn, ConnectionIndex index, Connection& connection,
                               std::span<const std::byte> received, std::size_t maxPacketSize)
{
    while (connection.CarrySize > 0) {
        // Byte by byte until the length is known, which is rare and short, then the whole rest at once.
        if (received.empty()) {
            return true;
        }
        std::size_t length = 2;
        if (connection.CarrySize >= 2) {
            length = LoadU16(connection.CarryData);
        }
        const std::size_t part = std::min(length - connection.CarrySize, received.size());
        std::memcpy(connection.CarryData + connection.CarrySize, received.data(), part);
        connection.CarrySize += static_cast<std::uint32_t>(part);
        received = received.subspan(part);
        if (connection.CarrySize < 2) {
            return true;
        }
        length = LoadU16(connection.CarryData);
        if (length < HeaderSize || length > maxPacketSize) {
            return false;
        }
        if (connection.CarrySize == length) {
            turn.KeepUntilEnd(connection.Carry());
            const std::span<const std::byte> packet(connection.CarryData, length);
            connection.SetCarry({});
            connection.CarrySize = 0;
            if (!service.HandlePacket(index, packet)) {
                return false;
            }
        }
    }
    while (received.size() >= 2) {
        const std::size_t length = LoadU16(received.data());
        if (length < HeaderSize || length > maxPacketSize) {
            return false;
        }
        if (length > received.size()) {
            break;
        }
        if (!service.HandlePacket(index, received.first(length))) {
            return false;
        }
        received = received.subspan(length);
    }
    if (!received.empty()) {
        connection.SetCarry(turn.Pool().Take(maxPacketSize));
        std::memcpy(connection.CarryData, received.data(), received.size());
        connection.CarrySize = static_cast<std::uint32_t>(received.size());
    }
    return true;
}

} // namespace Peers
