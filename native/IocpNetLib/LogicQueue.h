// The way from the I/O threads to the logic thread (the original's logic IOCP).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "Message.h"

namespace NetLib {

// Many threads push lists of messages; one takes everything that is there. Lists of one pushing thread keep their
// order. The queue allocates nothing and needs no bound of its own: it can hold no more than there are messages, which
// are the pool's and two for each connection.
//
// Pushing costs one atomic exchange, and a system call only when the logic thread sleeps.
class LogicQueue {
public:
    // Any thread.
    void Push(const MessageList& messages) noexcept;

    // The logic thread: everything that was pushed, in order. Empty if nothing was.
    [[nodiscard]] MessageList PopAll() noexcept;

    // Whether there is nothing to pop at this moment.
    [[nodiscard]] bool IsEmpty() const noexcept { return m_Newest.load(std::memory_order_relaxed) == nullptr; }

    enum class WaitEnd : uint8_t { Ready, Woken, TimedOut };

    // The logic thread: sleeps until there is something to pop or Recheck was called (Ready), Wake was called (Woken),
    // or the time is up (max: no limit). A Wake, and a Recheck, ends one wait, also a later one.
    [[nodiscard]] WaitEnd Wait(std::chrono::steady_clock::time_point until);

    // Any thread: lets a poll return to its caller with nothing.
    void Wake() noexcept;
    // Any thread: lets the logic thread look again at what it waits for.
    void Recheck() noexcept;

private:
    // Newest first: a stack is the simplest list that many can push to; PopAll reverses it.
    std::atomic<Message*> m_Newest{nullptr};
    std::atomic<bool> m_Sleeping{false};
    std::mutex m_Mutex;
    std::condition_variable m_Condition;
    bool m_Woken = false;   // under m_Mutex
    bool m_Recheck = false; // under m_Mutex
};

} // namespace NetLib
