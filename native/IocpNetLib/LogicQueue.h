// The way from the I/O threads to the logic thread (the original's logic IOCP).
#pragma once

#include <atomic>
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

    // The logic thread: sleeps until there is something to pop, Wake was called, or the time is up (-1: no limit).
    // Returns false only when the time is up. A Wake ends one Wait, also a later one.
    bool Wait(int milliseconds);

    // Any thread.
    void Wake() noexcept;

private:
    // Newest first: a stack is the simplest list that many can push to; PopAll reverses it.
    std::atomic<Message*> m_Newest{nullptr};
    std::atomic<bool> m_Sleeping{false};
    std::mutex m_Mutex;
    std::condition_variable m_Condition;
    bool m_Woken = false; // guarded by m_Mutex
};

} // namespace NetLib
