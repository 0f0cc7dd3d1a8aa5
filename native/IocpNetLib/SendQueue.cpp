#include "SendQueue.h"

#include <algorithm>
#include <utility>

namespace NetLib {

std::unique_ptr<std::byte[]> SendQueue::Reclaim() noexcept
{
    m_Front = {};
    m_FrontLeft.store(0, std::memory_order_relaxed);
    m_WasRingRead = false;
    return m_Ring.Reclaim();
}

bool SendQueue::Share(const SharedPiece& piece) noexcept
{
    if (Size() != 0)
        return false;
    if (!m_Front.Block) {
        if (piece.End - piece.Begin > m_Ring.Capacity())
            return false;
        m_Front = piece;
        return true;
    }
    if (piece.Block != m_Front.Block || piece.Begin != m_Front.End || piece.End - m_Front.Begin > m_Ring.Capacity())
        return false;
    m_Front.End = piece.End;
    return true;
}

SharedPiece SendQueue::AppendShared(std::span<const std::byte> data) const noexcept
{
    if (!IsStaged() || !m_Front.Block.Append(data, m_Front.End))
        return {};
    return {m_Front.Block, m_Front.End, m_Front.End + static_cast<uint32_t>(data.size())};
}

bool SendQueue::AddSendData(std::span<const std::byte> data) noexcept
{
    const uint32_t waiting = Size();
    const bool isStaged = waiting == 0 && IsStaged();
    const size_t staged = isStaged ? m_Front.Bytes().size() : 0;
    if (data.size() + staged > m_Ring.Capacity() - waiting)
        return false;
    if (isStaged) {
        (void)m_Ring.AddSendData(m_Front.Bytes()); // there is room for both
        m_Front = {};
    }
    return m_Ring.AddSendData(data);
}

void SendQueue::Publish() noexcept
{
    if (IsStaged())
        m_FrontLeft.store(m_Front.End - m_Front.Begin, std::memory_order_release);
}

std::array<std::span<const std::byte>, 2> SendQueue::GetSendAbleData(uint32_t wanted) const noexcept
{
    // The ring first: what is found in it was written behind a front that is then seen, too.
    const auto ring = m_Ring.GetSendAbleData(wanted);
    const uint32_t left = m_FrontLeft.load(std::memory_order_acquire);
    if (left == 0)
        return ring;
    const auto front = m_Front.Block.Bytes(m_Front.End - left, m_Front.End);
    if (left >= wanted)
        return {front.first(wanted)};
    return {front, ring[0].first(std::min<size_t>(ring[0].size(), wanted - left))};
}

void SendQueue::SendCompleted(uint32_t bytes) noexcept
{
    if (bytes == 0)
        return; // what is in front now may be newer than what was offered
    if (const uint32_t left = m_FrontLeft.load(std::memory_order_relaxed); left != 0) {
        const uint32_t sent = std::min(left, bytes);
        if (sent == left)
            m_Front = {}; // before it is the writer's again
        m_FrontLeft.store(left - sent, std::memory_order_release);
        bytes -= sent;
        if (bytes == 0)
            return;
    }
    m_Ring.SendCompleted(bytes);
    m_WasRingRead = true;
}

} // namespace NetLib
