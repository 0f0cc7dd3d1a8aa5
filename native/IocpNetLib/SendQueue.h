// What waits to be sent to one connection.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "SendRingBuffer.h"
#include "SharedBlock.h"

namespace NetLib {

// Payloads of broadcasts in front, which their receivers share and nobody copies, and the send ring behind them. There
// is something in front only if nothing else waited: most of the time a broadcast finds its receivers so. Several of one
// batch are in front together if they follow each other in one block.
//
// One writer (logic; its calls are serialised by the server) and one reader (the connection's I/O thread), as the ring's.
class SendQueue {
public:
    // Empty, and no memory yet. capacity: bytes that may wait, shared ones too.
    void Create(uint32_t capacity) noexcept { m_Ring.Create(capacity); }

    // These three are the ring's: see there.
    [[nodiscard]] bool HasMemory() const noexcept { return m_Ring.HasMemory(); }
    void Lend(std::unique_ptr<std::byte[]> memory, uint32_t begin) noexcept { m_Ring.Lend(std::move(memory), begin); }
    // Also lets go of what is in front.
    [[nodiscard]] std::unique_ptr<std::byte[]> Reclaim() noexcept;

    // Writer. Refers to the piece if nothing waits but what it follows, not yet published, and if there is room; false:
    // AddSendData may help. Publish must follow.
    [[nodiscard]] bool Share(const SharedPiece& piece) noexcept;
    // Writer. Puts data behind what is shared and not yet published, in its block. The piece is data alone, to be shared
    // by this queue and by others; without a block if that cannot be done.
    [[nodiscard]] SharedPiece AppendShared(std::span<const std::byte> data) const noexcept;
    // Writer; the ring has memory. Data goes in whole or, if there is no room (false), not at all. What was shared and
    // not yet published goes into the ring, so that both leave together.
    [[nodiscard]] bool AddSendData(std::span<const std::byte> data) noexcept;
    // Writer: what was shared is the reader's from here.
    void Publish() noexcept;

    // Reader: what is to be sent next, at most wanted bytes, in up to two pieces (the second follows the first). More
    // may wait behind them.
    [[nodiscard]] std::array<std::span<const std::byte>, 2> GetSendAbleData(uint32_t wanted) const noexcept;
    // Reader: the first bytes of it are sent.
    void SendCompleted(uint32_t bytes) noexcept;
    // Reader: whether the ring was read since it was lent.
    [[nodiscard]] bool WasRingRead() const noexcept { return m_WasRingRead; }

    // Bytes that wait. Exact for the reader and the writer while the other one rests.
    [[nodiscard]] uint32_t Size() const noexcept { return m_FrontLeft.load(std::memory_order_acquire) + m_Ring.Size(); }

private:
    SendRingBuffer m_Ring;
    // Whether there is a front that is shared and not yet published; writer.
    [[nodiscard]] bool IsStaged() const noexcept
    {
        return m_FrontLeft.load(std::memory_order_acquire) == 0 && m_Front.Block;
    }

    SharedPiece m_Front;                  // the reader's while m_FrontLeft is not 0, otherwise the writer's
    std::atomic<uint32_t> m_FrontLeft{0}; // bytes of the front, its last ones, that are published and not sent
    bool m_WasRingRead = false;           // reader only
};

} // namespace NetLib
