#include "LogicQueue.h"

#include <utility>

namespace NetLib {

void LogicQueue::Push(const MessageList& messages) noexcept
{
    if (messages.IsEmpty())
        return;
    // The list becomes newest first in place.
    Message* previous = nullptr;
    for (Message* message = messages.First; message != nullptr;) {
        Message* next = message->Next;
        message->Next = previous;
        previous = message;
        message = next;
    }
    Message* const oldest = messages.First;
    Message* newest = m_Newest.load(std::memory_order_relaxed);
    do {
        oldest->Next = newest;
        // seq_cst: either this push sees the sleeper, or the sleeper sees this push.
    } while (!m_Newest.compare_exchange_weak(newest, previous, std::memory_order_seq_cst, std::memory_order_relaxed));
    // Whoever found the queue empty wakes; those behind rely on that.
    if (newest == nullptr && m_Sleeping.load(std::memory_order_seq_cst)) {
        {
            const std::lock_guard lock(m_Mutex);
        }
        m_Condition.notify_one();
    }
}

MessageList LogicQueue::PopAll() noexcept
{
    MessageList list;
    if (m_Newest.load(std::memory_order_relaxed) == nullptr)
        return list;
    Message* message = m_Newest.exchange(nullptr, std::memory_order_acquire);
    list.Last = message;
    while (message != nullptr) {
        Message* next = message->Next;
        message->Next = list.First;
        list.First = message;
        ++list.Count;
        message = next;
    }
    return list;
}

LogicQueue::WaitEnd LogicQueue::Wait(std::chrono::steady_clock::time_point until)
{
    std::unique_lock lock(m_Mutex);
    m_Sleeping.store(true, std::memory_order_seq_cst);
    const auto ready = [this] { return m_Woken || m_Recheck || m_Newest.load(std::memory_order_seq_cst) != nullptr; };
    bool isReady = true;
    if (until == std::chrono::steady_clock::time_point::max())
        m_Condition.wait(lock, ready);
    else
        isReady = m_Condition.wait_until(lock, until, ready);
    m_Sleeping.store(false, std::memory_order_relaxed);
    if (!isReady)
        return WaitEnd::TimedOut;
    m_Recheck = false;
    return std::exchange(m_Woken, false) ? WaitEnd::Woken : WaitEnd::Ready;
}

void LogicQueue::Wake() noexcept
{
    {
        const std::lock_guard lock(m_Mutex);
        m_Woken = true;
    }
    m_Condition.notify_one();
}

void LogicQueue::Recheck() noexcept
{
    {
        const std::lock_guard lock(m_Mutex);
        m_Recheck = true;
    }
    m_Condition.notify_one();
}

} // namespace NetLib
