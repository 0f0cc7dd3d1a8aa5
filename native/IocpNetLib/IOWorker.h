// One I/O thread: its connections, its I/O backend and its turn.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "Connection.h"
#include "MiniDump.h"
#include "Performance.h"
#include "ServerContext.h"
#include "io/Io.h"

namespace NetLib {

// Every connection belongs to one worker for its whole life, and only that worker's thread touches its socket and its
// receiving side. That is what makes the rest free of locks.
//
// The first worker also accepts, and gives each connection to the worker that has the fewest.
//
// A turn: do what other threads asked for, go on with receives, publish events to logic in one push, wait for I/O.
class IOWorker final : private IoHandler {
public:
    // The error is a sentence: the system has no handle for the backend.
    [[nodiscard]] static std::expected<std::unique_ptr<IOWorker>, std::string> Create(ServerContext& server,
                                                                                      uint32_t index);
    IOWorker(ServerContext& server, uint32_t index);
    IOWorker(const IOWorker&) = delete;
    IOWorker& operator=(const IOWorker&) = delete;
    ~IOWorker();

    // Starts the thread; throws std::system_error when the system refuses one. If listenSocket is open, this worker
    // accepts, and the future tells whether it could begin to.
    [[nodiscard]] std::future<std::expected<void, std::string>> Begin(UniqueSocket listenSocket);
    // Instead of Begin: this worker has no thread. Whoever polls serves it by Serve, and whoever ends the server by
    // FinishInline; one thread at a time.
    [[nodiscard]] std::expected<void, std::string> BeginInline(UniqueSocket listenSocket);
    // One turn, which waits for I/O up to until, or until NotifyPoll.
    void Serve(std::chrono::steady_clock::time_point until);
    // Serves until everything is closed. After StopPhase::Ending and NotifyStop.
    void FinishInline();
    // Whether something is asked for that only a turn does.
    [[nodiscard]] bool HasAttention() const noexcept { return m_Attention.load(std::memory_order_relaxed) != nullptr; }
    // When the last wait for I/O ended.
    [[nodiscard]] std::chrono::steady_clock::time_point Now() const noexcept { return m_Now; }

    // Waits for the thread, which ends some time after StopPhase::Ending and NotifyStop.
    void Join();

    // The rest may be called from any thread.

    // Notes what is to be done for a connection of this worker. Wake must follow; one call serves many notes.
    void Request(Connection& connection, uint32_t bits) noexcept; // of Attention
    void Request(Connection& connection, Attention attention) noexcept
    {
        Request(connection, static_cast<uint32_t>(attention));
    }
    void NotifyMessagesFreed() noexcept { Signal(SignalMessagesFreed); }
    void NotifyLimits() noexcept { Signal(SignalLimits); }
    void NotifyStopAccepting() noexcept { Signal(SignalStopAccepting); }
    void NotifyStop() noexcept { Signal(SignalStop); }
    void NotifyPoll() noexcept { Signal(SignalPoll); }
    void Wake() noexcept;

    [[nodiscard]] const IOCounters& Counters() const noexcept { return m_Counters; }
    [[nodiscard]] uint32_t Index() const noexcept { return m_Index; }
    [[nodiscard]] const char* BackendName() const noexcept { return m_Io->Name(); }

    using Clock = std::chrono::steady_clock;

private:
    static constexpr uint32_t SignalMessagesFreed = 1;
    static constexpr uint32_t SignalStop = 2;
    static constexpr uint32_t SignalPoll = 4; // the wait of Serve has to end
    static constexpr uint32_t SignalLimits = 8;
    static constexpr uint32_t SignalStopAccepting = 16;
    // The system's waits are no finer.
    using TimerTick = std::chrono::milliseconds;

    // ---- IOWorker.cpp: the turn
    void Run();
    void BeginTurn();
    [[nodiscard]] bool HasEnded() const noexcept;
    [[nodiscard]] std::expected<void, std::string> Listen(UniqueSocket listenSocket);
    void OnWoken() override;
    void Signal(uint32_t signal) noexcept;
    void HandleSignals();
    void HandleAttention();
    void HandleAttention(Connection& connection, uint32_t attention);
    void Housekeep();
    [[nodiscard]] bool IsDealtNoMore() const noexcept;
    // How long the next wait may last, in milliseconds.
    [[nodiscard]] int PrepareToSleep(Clock::time_point until) noexcept;
    void ReclaimBuffers();
    void ReclaimRecvRings(bool waitsForFree);
    [[nodiscard]] bool MayReclaimRecvRing(Connection& connection, bool waitsForFree) noexcept;
    void PublishEvents() noexcept;
    void TakeLimits();
    void StopReading();
    void EndConnections();
    void EndConnection(Connection& connection); // may free

    // ---- IOWorkerAccept.cpp: new connections
    void OnAccepted(UniqueSocket socket, const SocketAddress& peer) override;
    void OnAcceptFailed(int error) override;
    void OnAcceptPaused(int error) override;
    void StopAccepting();
    [[nodiscard]] IOWorker& LeastLoaded() noexcept;
    [[nodiscard]] Opening OpeningOf(const SocketAddress& peer) const noexcept;
    void Adopt(Connection& connection);

    // ---- IOWorkerProxy.cpp: how a client's bytes begin
    [[nodiscard]] bool PrepareHeader(Connection& connection) noexcept; // false without memory
    // Looks at what was received until packets come. Returns whether they do from now on.
    [[nodiscard]] bool TakeOpening(Connection& connection);
    [[nodiscard]] bool TakeHeader(Connection& connection);
    [[nodiscard]] bool TakeSignature(Connection& connection);
    void Tell(Connection& connection) noexcept;
    void EndUntold(Connection& connection) noexcept;

    // ---- IOWorkerConnection.cpp: receiving, sending, closing. What may free the connection says so.
    void OnRecvDone(IoSocket& socket, IoOutcome outcome) override;
    void OnSendDone(IoSocket& socket, IoOutcome outcome) override;
    void OnClosed(IoSocket& socket) override;
    void QueueRecv(Connection& connection);
    void ContinueRecvs();
    [[nodiscard]] bool LendRecvRing(Connection& connection);
    void StartRecv(Connection& connection);                     // may free
    void ReceiveInto(Connection& connection);                   // may free
    void HandleRecv(Connection& connection, IoOutcome outcome); // may free
    [[nodiscard]] bool DeliverPackets(Connection& connection);
    void NotePackets(Connection& connection) noexcept;
    void DeliverWaiting(Connection& connection);
    void ServeMessageWaiters();
    void Flush(Connection& connection);
    [[nodiscard]] bool MayReportLate(const Connection& connection, size_t size) const noexcept;
    // detail: more about the reason, for the log.
    void EndReceiving(Connection& connection, CloseReason reason, const char* detail = nullptr);
    void Break(Connection& connection, CloseReason reason, bool abort); // may free
    void CloseSocket(Connection& connection, bool abort);
    void AdvanceClose(Connection& connection); // may free
    void Free(Connection& connection);
    void ReturnFreed() noexcept;

    // ---- IOWorkerTimers.cpp: one timer a connection, for whatever comes first
    void HandleTimers();
    void HandleTimer(Connection& connection);     // may free
    void CutOff(Connection& connection);          // may free
    void HandleSilence(Connection& connection);   // may free
    void ResumeThrottled(Connection& connection); // may free
    void Throttle(Connection& connection, std::chrono::nanoseconds wait);
    void SetDeadline(Connection& connection, Clock::time_point deadline) noexcept;
    // Sets the timer anew. Needed when something begins that ends by time, or ends earlier than it did.
    void ArmTimer(Connection& connection) noexcept;
    [[nodiscard]] uint64_t TickOf(Clock::time_point time) const noexcept;
    [[nodiscard]] Clock::time_point NextTimer() const noexcept;

    ServerContext& m_Server;
    const uint32_t m_Index;
    const std::chrono::milliseconds m_HousekeepingInterval;
    const Clock::time_point m_TimerEpoch; // tick 0
    std::unique_ptr<Io> m_Io;
    MiniDumpStack m_CrashStack; // the thread's
    std::thread m_Thread;

    // ---- this thread
    std::vector<Connection*> m_Connections;
    std::vector<Connection*> m_RecvQueue;      // have more to receive, or to post
    std::vector<Connection*> m_MessageWaiters; // have packets that the pool had no messages for; longest waiting first
    std::vector<Connection*> m_Turn;           // scratch: a list that is being worked through
    std::vector<Connection*> m_Freed;          // ended in this turn, not yet back in the pool
    std::vector<Connection*> m_RecvLent;       // have a receive ring
    std::vector<Connection*> m_SendDrained;    // have sent all that was in their send rings
    BufferPool m_RecvBuffers;
    Limits m_Limits; // ServerContext::CurrentLimits as of the last NotifyLimits
    Clock::time_point m_NextTrim{};
    Clock::time_point m_ServedAgain{}; // the last time that the server had rested for long
    MessageList m_Events;              // for logic, not yet published
    StopPhase m_Phase = StopPhase::Running;
    TimerWheel m_Timers;
    bool m_Accepts = false;
    bool m_HasStoppedAccepting = false;
    bool m_IsInline = false; // it has no thread
    Clock::time_point m_Now{};
    Clock::time_point m_NextAcceptTry = Clock::time_point::max();
    Clock::time_point m_NextHousekeeping = Clock::time_point::max();
    Clock::time_point m_AcceptErrorSilence{}; // until then the same error is not logged again
    int m_LastAcceptError = 0;
    Performance m_Performance;
    uint64_t m_LoggedRefusals = 0;
    uint64_t m_LoggedExhaustions = 0;
    uint64_t m_LoggedReserveUses = 0;
    IOCounters m_Counters;

    // ---- shared
    std::atomic<uint32_t> m_ConnectionCount{0}; // written by the accepting worker and by this one
    std::atomic<Connection*> m_Attention{nullptr};
    std::atomic<uint32_t> m_Signals{0};
    std::atomic<bool> m_Sleeping{false};
};

} // namespace NetLib
