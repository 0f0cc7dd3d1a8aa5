// What an opaque NetLib_Server is: one server over its starts and stops.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "IOCPServerNet.h"
#include "IocpNetLib.h"

// Keeps callers and a stop apart: a call enters before it touches the running server and leaves after, and a stop
// waits until all have left. Any thread may call any member.
struct NetLib_Server {
public:
    // The running server for the time of one call.
    class Call {
    public:
        explicit Call(NetLib_Server& handle) noexcept;
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
        ~Call();
        // Null if the server does not run, or is being ended.
        [[nodiscard]] NetLib::IOCPServerNet* Server() const noexcept { return m_Server; }
        // What a poll returns when Server is null: the server is being ended, or does not run.
        [[nodiscard]] NetLib_Result PollReason() const noexcept;

    private:
        NetLib_Server& m_Handle;
        NetLib::IOCPServerNet* m_Server;
    };

    NetLib_Server() = default;
    NetLib_Server(const NetLib_Server&) = delete;
    NetLib_Server& operator=(const NetLib_Server&) = delete;
    ~NetLib_Server();

    [[nodiscard]] NetLib_Result Start(const NetLib_Config& config, std::string& error);
    [[nodiscard]] NetLib_Result Stop(std::chrono::milliseconds drain);
    [[nodiscard]] NetLib_Stats Stats();
    // Of the run that is under way, or of the last one.
    [[nodiscard]] const char* BackendName() const noexcept { return m_BackendName.load(std::memory_order_relaxed); }

private:
    void Leave() noexcept; // a call that was counted has ended
    void KeepStats();

    std::mutex m_LifecycleMutex;                         // Start and Stop
    std::unique_ptr<NetLib::IOCPServerNet> m_Server;     // under the lifecycle mutex
    uint32_t m_LastGeneration = 0;                       // under the lifecycle mutex: ids of earlier runs stay stale
    std::atomic<NetLib::IOCPServerNet*> m_Open{nullptr}; // what calls may use: m_Server, but not while it ends
    std::atomic<bool> m_Ending{false};
    std::atomic<const char*> m_BackendName{"none"};
    std::atomic<uint32_t> m_Calls{0};
    // The last call of a server that is being ended tells the stop. No std::atomic::wait: libstdc++ 12 loses its
    // wake-ups where it has no futex (seen with MinGW).
    std::mutex m_CallsMutex;
    std::condition_variable m_NoCalls;
    std::mutex m_StatsMutex;
    NetLib_Stats m_LastStats{}; // of a server that ends or has ended; under the stats mutex
};
