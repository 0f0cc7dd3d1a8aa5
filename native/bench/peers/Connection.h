// What a peer keeps of a connection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "BufferPool.h"

namespace Peers {

// Small, and without a buffer of its own while nothing is under way: an idle connection costs these bytes only. All
// zero is a connection that has nothing to do.
struct Connection {
    const std::byte* Out = nullptr; // what is to be sent: OutSize bytes, in Held or in memory of this turn
    std::byte* HeldData = nullptr;  // a buffer of the connection's own, for output that is not in one piece or waits
    std::byte* CarryData = nullptr; // a buffer for the beginning of a packet whose rest has not come
    std::uint32_t OutSize = 0;
    std::uint32_t CarrySize = 0;
    std::uint8_t HeldClass = 0;
    std::uint8_t CarryClass = 0;
    bool Blocked = false;   // the socket's send buffer is full: output waits until it is writable
    bool Closing = false;   // nothing is received any more, and it is closed at the end of the turn
    bool Released = false;  // io_uring: closed but for operations that are still in the kernel
    bool RecvArmed = false; // io_uring: a receive is in the kernel
    bool PollArmed = false; // io_uring: a poll for writability is in the kernel

    [[nodiscard]] Buffer Held() const noexcept { return {HeldData, HeldClass}; }
    void SetHeld(Buffer buffer) noexcept
    {
        HeldData = buffer.Data;
        HeldClass = buffer.SizeClass;
    }
    [[nodiscard]] Buffer Carry() const noexcept { return {CarryData, CarryClass}; }
    void SetCarry(Buffer buffer) noexcept
    {
        CarryData = buffer.Data;
        CarryClass = buffer.SizeClass;
    }
};

// The index of a connection in its server: its descriptor.
using ConnectionIndex = std::uint32_t;

} // namespace Peers
