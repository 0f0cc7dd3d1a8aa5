#include "RecvRingBuffer.h"

#include <algorithm>
#include <cstring>

namespace NetLib {

void RecvRingBuffer::Create(uint32_t capacity, uint32_t maxPacketSize) noexcept
{
    m_Capacity = capacity;
    m_MaxPacketSize = maxPacketSize;
    m_FramePos = m_WritePos = m_HeldPos = m_Skipped = 0;
    m_HandedOut = m_SeenGivenBack = 0;
    m_GivenBack.store(0, std::memory_order_relaxed);
}

std::unique_ptr<std::byte[]> RecvRingBuffer::Reclaim() noexcept
{
    m_FramePos = m_WritePos = 0;
    return std::move(m_Buffer);
}

std::span<const std::byte> RecvRingBuffer::Unframed() const noexcept
{
    return {m_Buffer.get() + m_FramePos, m_WritePos - m_FramePos};
}

std::span<std::byte> RecvRingBuffer::GetWriteBuffer(uint32_t wanted) noexcept
{
    const uint32_t partial = m_WritePos - m_FramePos;
    // seq_cst: see Connection::RecvPaused, which must not be reordered with this.
    const uint32_t givenBack = m_GivenBack.load(std::memory_order_seq_cst);
    if (givenBack == m_HandedOut) {
        Compact();
        return {m_Buffer.get() + m_WritePos, std::min(wanted, m_Capacity - m_WritePos)};
    }
    m_HeldPos += givenBack - m_SeenGivenBack;
    if (m_HeldPos >= m_Capacity)
        m_HeldPos -= m_Capacity;
    m_SeenGivenBack = givenBack;

    if (m_HeldPos < m_FramePos) {
        // Held bytes, then unframed bytes, then free space up to the end, and free space before the held bytes.
        const uint32_t roomForPacket = m_Capacity - m_FramePos;
        if (roomForPacket >= m_MaxPacketSize && m_WritePos < m_Capacity)
            return {m_Buffer.get() + m_WritePos, std::min(wanted, m_Capacity - m_WritePos)};
        if (m_HeldPos <= partial)
            return {}; // the beginning is still held
        std::memmove(m_Buffer.get(), m_Buffer.get() + m_FramePos, partial);
        m_Skipped += m_Capacity - m_FramePos;
        m_FramePos = 0;
        m_WritePos = partial;
    }
    // Unframed bytes at the beginning, free space, then held bytes.
    return {m_Buffer.get() + m_WritePos, std::min(wanted, m_HeldPos - m_WritePos)};
}

// Nothing is held: the partial packet moves to the beginning, which keeps the ring's memory warm, and small where the
// traffic is small.
void RecvRingBuffer::Compact() noexcept
{
    const uint32_t partial = m_WritePos - m_FramePos;
    if (m_FramePos != 0 && partial != 0)
        std::memmove(m_Buffer.get(), m_Buffer.get() + m_FramePos, partial);
    m_FramePos = 0;
    m_WritePos = partial;
    m_HeldPos = 0;
    m_Skipped = 0;
    m_SeenGivenBack = m_HandedOut;
}

uint32_t RecvRingBuffer::HandOut(uint32_t size) noexcept
{
    const uint32_t giveBack = size + m_Skipped;
    m_Skipped = 0;
    m_FramePos += size;
    m_HandedOut += giveBack;
    return giveBack;
}

void RecvRingBuffer::GiveBack(uint32_t bytes) noexcept
{
    // One writer, so no read-modify-write is needed; seq_cst as above.
    m_GivenBack.store(m_GivenBack.load(std::memory_order_relaxed) + bytes, std::memory_order_seq_cst);
}

} // namespace NetLib
