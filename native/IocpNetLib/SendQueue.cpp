#include "SendQueue.h"

#include <algorithm>
#include <utility>

namespace NetLib {

std::unique_ptr<std::byte[]> SendQueue::Reclaim() noexcept
{
    m_Front.Reset();
    m_FrontLeft.store(0, std::memory_order_relaxed);
    m_WasRingRead = false;
    return m_Ring.Reclaim();
}

bool SendQueue::Share(const SharedPayloadRef& payload) noexcept
{
    if (Size() != 0 || m_Front)
        return false;
    m_Front = payload;
    return true;
}

bool SendQueue::AddSendData(std::span<const std::byte> data) noexcept
{
    const uint32_t waiting = Size();
    const bool isFrontMine = waiting == 0 && m_Front;
    const size_t front = isFrontMine ? m_Front.Bytes().size() : 0;
    if (data.size() + front > m_Ring.Capacity() - waiting)
        return false;
    if (isFrontMine) {
        (void)m_Ring.AddSendData(m_Front.Bytes()); // there is room for both
        m_Front.Reset();
    }
    return m_Ring.AddSendData(data);
}

void SendQueue::Publish() noexcept
{
    if (m_FrontLeft.load(std::memory_order_acquire) == 0 && m_Front)
        m_FrontLeft.store(static_cast<uint32_t>(m_Front.Bytes().size()), std::memory_order_release);
}

std::array<std::span<const std::byte>, 2> SendQueue::GetSendAbleData(uint32_t wanted) const noexcept
{
    // The ring first: what is found in it was written behind a front that is then seen, too.
    const auto ring = m_Ring.GetSendAbleData(wanted);
    const uint32_t left = m_FrontLeft.load(std::memory_order_acquire);
    if (left == 0)
        return ring;
    const auto front = m_Front.Bytes().last(left);
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
            m_Front.Reset(); // before it is the writer's again
        m_FrontLeft.store(left - sent, std::memory_order_release);
        bytes -= sent;
        if (bytes == 0)
            return;
    }
    m_Ring.SendCompleted(bytes);
    m_WasRingRead = true;
}

} // namespace NetLib
