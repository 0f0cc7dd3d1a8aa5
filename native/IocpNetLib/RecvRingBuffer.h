// The receive ring of one connection: bytes go from the socket straight to logic without being copied.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace NetLib {

// The I/O thread receives into the ring and frames packets in it; logic reads the packets where they lie and gives them
// back in the order in which it got them. So the ring holds, in order: what logic has not given back, then what is not
// framed yet, then free space.
//
// A packet must lie in one piece, so a packet that is cut by the ring's end is moved to its beginning (at most one
// partial packet, and never one that logic can see). Bytes that logic holds are never moved or overwritten.
//
// Threads: GiveBack belongs to logic, everything else to the I/O thread.
class RecvRingBuffer {
public:
    // Makes the ring ready for a connection; no memory yet. maxPacketSize is at most capacity.
    void Create(uint32_t capacity, uint32_t maxPacketSize) noexcept;

    // The ring needs memory from the first byte that is received until logic has given the last one back.
    [[nodiscard]] bool HasMemory() const noexcept { return m_Buffer != nullptr; }
    // Takes capacity bytes; it has none.
    void Lend(std::unique_ptr<std::byte[]> memory) noexcept { m_Buffer = std::move(memory); }
    // Gives the memory back. Nothing is in the ring any more, or nobody will look.
    [[nodiscard]] std::unique_ptr<std::byte[]> Reclaim() noexcept;
    // Nothing is in it, neither unframed nor held by logic.
    [[nodiscard]] bool IsEmpty() const noexcept
    {
        return m_WritePos == m_FramePos && m_GivenBack.load(std::memory_order_acquire) == m_HandedOut;
    }

    // Where to receive next; at most wanted bytes. Empty when logic holds so much that there is no room.
    [[nodiscard]] std::span<std::byte> GetWriteBuffer(uint32_t wanted) noexcept;
    // bytes were received into the last write buffer.
    void Received(uint32_t bytes) noexcept { m_WritePos += bytes; }
    // What is received and not yet handed to logic, in one piece.
    [[nodiscard]] std::span<const std::byte> Unframed() const noexcept;
    // Hands the first size bytes of Unframed to logic. Returns how many bytes logic has to give back for them.
    [[nodiscard]] uint32_t HandOut(uint32_t size) noexcept;
    // Forgets what is received and not handed to logic, and returns how many bytes that is.
    uint32_t DiscardUnframed() noexcept { return std::exchange(m_WritePos, m_FramePos) - m_FramePos; }

    void GiveBack(uint32_t bytes) noexcept;

private:
    void Compact() noexcept;

    std::unique_ptr<std::byte[]> m_Buffer;
    uint32_t m_Capacity = 0;
    uint32_t m_MaxPacketSize = 0;
    uint32_t m_FramePos = 0; // first unframed byte
    uint32_t m_WritePos = 0; // behind the last received byte; never before m_FramePos
    uint32_t m_HeldPos = 0;  // first byte that logic holds, if it holds any
    uint32_t m_Skipped = 0;  // bytes at the ring's end that the next packet handed out must give back, too
    // Both count bytes since Create and wrap around; only their difference is used.
    uint32_t m_HandedOut = 0;
    uint32_t m_SeenGivenBack = 0; // the part of m_GivenBack that m_HeldPos takes account of
    std::atomic<uint32_t> m_GivenBack{0};
};

} // namespace NetLib
