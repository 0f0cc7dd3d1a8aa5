#include "MessagePool.h"

namespace NetLib {

MessagePool::MessagePool(uint32_t count, uint32_t extra)
    : m_Messages(std::make_unique<Message[]>(count + extra)), m_FreeCount(count + extra), m_Total(count + extra),
      m_Reserve(extra)
{
    for (uint32_t i = m_Total; i-- > 0;) {
        m_Messages[i].Next = m_Free;
        m_Free = &m_Messages[i];
    }
}

uint32_t MessagePool::Allocate(std::span<Message*> messages, uint32_t workerIndex) noexcept
{
    const std::lock_guard lock(m_Mutex);
    const uint32_t before = m_FreeCount;
    uint32_t given = 0;
    while (given < messages.size() && m_Free != nullptr) {
        messages[given++] = m_Free;
        m_Free = m_Free->Next;
    }
    m_FreeCount -= given;
    if (before >= m_Reserve && m_FreeCount < m_Reserve)
        ++m_ReserveUsed;
    if (given < messages.size())
        m_WaitingWorkers |= uint64_t{1} << workerIndex;
    return given;
}

uint64_t MessagePool::Free(const MessageList& messages) noexcept
{
    if (messages.IsEmpty())
        return 0;
    const std::lock_guard lock(m_Mutex);
    messages.Last->Next = m_Free;
    m_Free = messages.First;
    m_FreeCount += messages.Count;
    const uint64_t waiting = m_WaitingWorkers;
    m_WaitingWorkers = 0;
    return waiting;
}

MessagePool::Usage MessagePool::GetUsage() const noexcept
{
    const std::lock_guard lock(m_Mutex);
    return {m_Total - m_FreeCount, m_ReserveUsed};
}

} // namespace NetLib
