// Counters, and the periodic log line made of them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "IocpNetLib.h"

namespace NetLib {

class Log;

// A counter with one writing thread, readable by all: no locked instruction.
class Counter {
public:
    void Add(uint64_t amount) noexcept
    {
        m_Value.store(m_Value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    void Increment() noexcept { Add(1); }
    // To at least so much: for a high-water mark.
    void Raise(uint64_t value) noexcept
    {
        if (value > m_Value.load(std::memory_order_relaxed))
            m_Value.store(value, std::memory_order_relaxed);
    }
    [[nodiscard]] uint64_t Get() const noexcept { return m_Value.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> m_Value{0};
};

// What one I/O thread counts. On a cache line of its own, so that the threads do not slow each other.
struct alignas(64) IOCounters {
    Counter ConnectionsAccepted;
    Counter ConnectionsRefused;
    Counter ConnectionsRefusedAtStop;
    Counter AcceptErrors;
    Counter PacketsReceived;
    Counter BytesReceived;
    Counter BytesSent;
    Counter MessagePoolExhausted;
    Counter ReceivesPaused;
    Counter ReceivesThrottled;
    Counter CloseTimeouts;
    Counter BytesDiscardedOnClose;
    Counter BytesReceivedDiscarded;
    Counter SendBufferHighWater;
    std::array<Counter, NetLib_CloseReason_Count> Closed;

    void AddTo(NetLib_Stats& stats) const noexcept;
};

// What logic counts; its one writer is whoever holds the server's logic mutex.
struct LogicCounters {
    Counter PacketsSent;
    std::array<Counter, NetLib_SendDrop_Count> SendsDropped;
};

// Writes packets and bytes a second to the log, once a period. Belongs to one thread.
class Performance {
public:
    using Clock = std::chrono::steady_clock;

    // A period of 0: never.
    Performance(std::chrono::milliseconds period, Clock::time_point now) noexcept;

    [[nodiscard]] bool IsDue(Clock::time_point now) const noexcept { return now >= m_Next; }
    void Report(const NetLib_Stats& stats, Clock::time_point now, const Log& log) noexcept;

private:
    std::chrono::milliseconds m_Period;
    Clock::time_point m_Last;
    Clock::time_point m_Next;
    NetLib_Stats m_LastStats{};
};

} // namespace NetLib
