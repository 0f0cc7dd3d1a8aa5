#include "IOWorker.h"

#include <algorithm>
#include <cinttypes>
#include <new>
#include <utility>

#include "Statistics.h"

namespace NetLib {
namespace {

using namespace std::chrono_literals;

// A worker looks up at least so often, also if the system had no memory for the one who tried to wake it.
constexpr auto LongestSleep = 1s;
// How often the accepting worker looks for limits that were reached, so that a flood makes one line a second. The
// performance log may ask for more often.
constexpr std::chrono::milliseconds MaxHousekeepingInterval = 1s;

std::chrono::milliseconds HousekeepingIntervalOf(const NetConfig& config) noexcept
{
    const auto period = config.PerformancePacketMillisecondsTime;
    return period.count() == 0 ? MaxHousekeepingInterval : std::min(period, MaxHousekeepingInterval);
}

} // namespace

std::expected<std::unique_ptr<IOWorker>, std::string> IOWorker::Create(ServerContext& server, uint32_t index)
{
    auto worker = std::make_unique<IOWorker>(server, index);
    std::string fallback;
    auto io = Io::Create(server.Config.Backend, *worker, fallback);
    if (!io)
        return std::unexpected(io.error());
    worker->m_Io = std::move(*io);
    if (!fallback.empty() && index == 0)
        server.Logger.Write(LogLevel::Info, "%s is used instead of io_uring: %s", worker->BackendName(),
                            fallback.c_str());
    return worker;
}

IOWorker::IOWorker(ServerContext& server, uint32_t index)
    : m_Server(server), m_Index(index), m_HousekeepingInterval(HousekeepingIntervalOf(server.Config)),
      m_TimerEpoch(Clock::now()), m_RecvBuffers(server.Config.ConnectionMaxRecvBufferSize),
      m_Limits(server.Config.InitialLimits),
      m_Performance(server.Config.PerformancePacketMillisecondsTime, m_TimerEpoch)
{
    // Once and for all, so that no turn allocates. Linux gives memory only to what is touched of it; Windows sets it
    // aside, 56 bytes for each connection and worker.
    for (auto* list : {&m_Connections, &m_RecvQueue, &m_MessageWaiters, &m_Turn, &m_Freed, &m_RecvLent, &m_SendDrained})
        list->reserve(server.Config.MaxConnectionCount);
}

IOWorker::~IOWorker() { Join(); }

std::future<std::expected<void, std::string>> IOWorker::Begin(UniqueSocket listenSocket)
{
    std::promise<std::expected<void, std::string>> started;
    auto result = started.get_future();
    m_Accepts = listenSocket.IsOpen();
    m_Thread = std::thread([this, started = std::move(started), socket = std::move(listenSocket)]() mutable {
        const MiniDumpStack::Use crashStack(m_CrashStack);
        m_Now = Clock::now();
        // On this thread, because Windows may cancel what a thread started when that thread ends.
        std::expected<void, std::string> listening;
        if (m_Accepts)
            listening = Listen(std::move(socket));
        started.set_value(std::move(listening));
        Run();
    });
    return result;
}

std::expected<void, std::string> IOWorker::BeginInline(UniqueSocket listenSocket)
{
    m_Accepts = m_IsInline = true;
    m_Now = m_ServedAgain = Clock::now();
    return Listen(std::move(listenSocket));
}

std::expected<void, std::string> IOWorker::Listen(UniqueSocket listenSocket)
{
    m_Server.IsAccepting.store(true, std::memory_order_relaxed);
    m_NextHousekeeping = m_Now + m_HousekeepingInterval;
    try {
        return m_Io->Listen(std::move(listenSocket));
    } catch (const std::bad_alloc&) {
        return std::unexpected("out of memory");
    }
}

void IOWorker::Join()
{
    if (m_Thread.joinable())
        m_Thread.join();
}

void IOWorker::Run()
{
    for (;;) {
        BeginTurn();
        HandleTimers();
        PublishEvents();
        ReturnFreed();
        if (HasEnded())
            break;
        m_Io->Wait(PrepareToSleep(Clock::time_point::max()));
        PublishEvents();
    }
    if (m_Accepts)
        Housekeep();
}

void IOWorker::BeginTurn()
{
    HandleSignals();
    HandleAttention();
    ReclaimBuffers();
    ContinueRecvs();
    if (m_Now >= m_NextHousekeeping)
        Housekeep();
}

bool IOWorker::HasEnded() const noexcept
{
    return m_Phase == StopPhase::Ending && m_Connections.empty() && m_Freed.empty() && m_Io->IsIdle() &&
           IsDealtNoMore();
}

void IOWorker::Serve(Clock::time_point until)
{
    // Logic may have taken its time since the last turn.
    const auto now = Clock::now();
    if (now - m_Now >= LongestSleep)
        m_ServedAgain = now;
    m_Now = now;
    const StopPhase before = m_Phase;
    BeginTurn();
    PublishEvents();
    ReturnFreed();
    // No wait if logic has something to do at once: a stop may have brought events, or the end of all.
    m_Io->Wait(m_Server.Queue.IsEmpty() && m_Phase == before ? PrepareToSleep(until) : 0);
    if (m_Signals.load(std::memory_order_relaxed) != 0)
        m_Signals.fetch_and(~SignalPoll, std::memory_order_acq_rel); // whoever polls looks why
    // After what clients sent meanwhile was seen: it may be what a timeout waits for.
    HandleTimers();
    PublishEvents();
}

void IOWorker::FinishInline()
{
    if (!m_IsInline)
        return; // it never began
    m_Signals.fetch_and(~SignalPoll, std::memory_order_acq_rel);
    m_Now = Clock::now();
    Run();
    m_IsInline = false;
}

// Whether nothing needs the connection's receive ring; if only a receive that waits does, it is told to end.
bool IOWorker::MayReclaimRecvRing(Connection& connection, bool waitsForFree) noexcept
{
    // Where a wait without a ring costs an operation, whoever received since the last look keeps it.
    if (!waitsForFree && !std::exchange(connection.IsRecvIdle, true))
        return false;
    if (!connection.Recv.IsEmpty())
        return false;
    if (!connection.RecvInFlight || connection.IsRecvWait)
        return true;
    if (!waitsForFree) {
        connection.IsRecvCancelled = true;
        m_Io->CancelRecv(connection);
    }
    return false;
}

void IOWorker::ReclaimRecvRings(bool waitsForFree)
{
    for (size_t i = 0; i < m_RecvLent.size();) {
        Connection& connection = *m_RecvLent[i];
        if (!MayReclaimRecvRing(connection, waitsForFree)) {
            ++i;
            continue;
        }
        m_RecvBuffers.Give(connection.Recv.Reclaim());
        connection.IsRecvLent = false;
        m_RecvLent[i] = m_RecvLent.back();
        m_RecvLent.pop_back();
    }
}

// Idle connections hold no buffers.
void IOWorker::ReclaimBuffers()
{
    const bool isTrimDue = m_Now >= m_NextTrim;
    const bool waitsForFree = m_Io->WaitsForFree();
    if (isTrimDue || waitsForFree)
        ReclaimRecvRings(waitsForFree);
    if (!m_SendDrained.empty()) {
        const std::lock_guard lock(m_Server.LogicMutex);
        for (Connection* connection : m_SendDrained) {
            connection->IsSendDrained = false;
            if (!connection->SendInFlight && connection->Send.Size() == 0)
                m_Server.SendBuffers.Give(connection->Send.Reclaim());
        }
        m_SendDrained.clear();
    }
    if (isTrimDue) {
        m_NextTrim = m_Now + LongestSleep;
        m_RecvBuffers.Trim();
        if (m_Accepts) {
            const std::lock_guard lock(m_Server.LogicMutex);
            m_Server.SendBuffers.Trim();
            m_Server.SharedBlocks.Trim();
        }
    }
}

void IOWorker::OnWoken()
{
    m_Sleeping.store(false, std::memory_order_relaxed);
    m_Now = Clock::now();
}

// Whether every connection that was dealt to this worker has been adopted, and there will be none any more. In this
// order: what was dealt before accepting ended is in the list then.
bool IOWorker::IsDealtNoMore() const noexcept
{
    return !m_Server.IsAccepting.load(std::memory_order_acquire) &&
           m_Attention.load(std::memory_order_acquire) == nullptr;
}

void IOWorker::Request(Connection& connection, uint32_t bits) noexcept
{
    if (connection.PendingAttention.fetch_or(bits, std::memory_order_acq_rel) != 0)
        return; // it is in the list, and will be looked at after this
    Connection* first = m_Attention.load(std::memory_order_relaxed);
    do {
        connection.AttentionNext = first;
        // seq_cst: either the worker sees this before it sleeps, or Wake sees that it sleeps.
    } while (
        !m_Attention.compare_exchange_weak(first, &connection, std::memory_order_seq_cst, std::memory_order_relaxed));
}

void IOWorker::Signal(uint32_t signal) noexcept
{
    m_Signals.fetch_or(signal, std::memory_order_seq_cst);
    Wake();
}

void IOWorker::Wake() noexcept
{
    if (m_Sleeping.load(std::memory_order_seq_cst) && m_Sleeping.exchange(false, std::memory_order_seq_cst))
        m_Io->Wake();
}

int IOWorker::PrepareToSleep(Clock::time_point until) noexcept
{
    if (!m_RecvQueue.empty())
        return 0;
    m_Sleeping.store(true, std::memory_order_seq_cst);
    if (m_Attention.load(std::memory_order_seq_cst) != nullptr || m_Signals.load(std::memory_order_seq_cst) != 0)
        return 0;
    const auto next = std::min({NextTimer(), m_NextAcceptTry, m_NextHousekeeping, m_Now + LongestSleep, until});
    return static_cast<int>(std::max<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(next - m_Now).count(), 0));
}

void IOWorker::HandleSignals()
{
    if (m_Signals.load(std::memory_order_relaxed) == 0)
        return;
    const uint32_t signals = m_Signals.fetch_and(SignalPoll, std::memory_order_acq_rel); // that one is for the wait
    if ((signals & SignalLimits) != 0)
        TakeLimits();
    if ((signals & SignalStopAccepting) != 0)
        StopAccepting();
    if ((signals & SignalStop) != 0) {
        const StopPhase phase = m_Server.Phase.load(std::memory_order_acquire);
        if (m_Phase == StopPhase::Running)
            StopReading();
        if (phase == StopPhase::Ending && m_Phase != StopPhase::Ending)
            EndConnections();
    }
    if ((signals & SignalMessagesFreed) != 0)
        ServeMessageWaiters();
}

// What changes counts anew; what is the same goes on.
void IOWorker::TakeLimits()
{
    const Limits before = m_Limits;
    {
        const std::lock_guard lock(m_Server.LimitsMutex);
        m_Limits = m_Server.CurrentLimits;
    }
    const bool areTimesOther =
        before.FirstPacketTimeout != m_Limits.FirstPacketTimeout || before.IdleTimeout != m_Limits.IdleTimeout;
    const bool isRateOther = before.Rate != m_Limits.Rate;
    for (Connection* connection : m_Connections) {
        if (areTimesOther)
            connection->LastPacket = m_Now;
        if (isRateOther) {
            connection->Rate.Begin(m_Now);
            if (connection->IsThrottled)
                connection->ResumeAt = m_Now;
        }
        ArmTimer(*connection);
    }
}

void IOWorker::StopReading()
{
    m_Phase = StopPhase::Stopping;
    if (m_Accepts) {
        StopAccepting();
        m_Server.Logger.Write(LogLevel::Debug, "stopping: no more connections, no more reading");
        // The others wait for this before they end: from here no connection is dealt to them.
        m_Server.IsAccepting.store(false, std::memory_order_release);
        for (const auto& worker : m_Server.Workers) {
            if (worker.get() != this)
                worker->NotifyStop();
        }
    }
    m_Turn = m_Connections;
    for (Connection* connection : m_Turn) {
        // Whole packets were received: they are delivered first, from now on at any rate.
        DeliverWaiting(*connection);
        if (connection->Receiving && connection->WaitsForMessages)
            continue; // by ServeMessageWaiters
        EndReceiving(*connection, CloseReason::ServerStop);
        AdvanceClose(*connection);
    }
    PublishEvents();
    // Only now: logic takes this to mean that nothing more will come from here.
    m_Server.WorkersStopped.fetch_add(1, std::memory_order_acq_rel);
    m_Server.Queue.Recheck();
}

void IOWorker::EndConnections()
{
    m_Phase = StopPhase::Ending;
    m_Turn = m_Connections;
    for (Connection* connection : m_Turn)
        EndConnection(*connection);
}

void IOWorker::EndConnection(Connection& connection)
{
    EndReceiving(connection, CloseReason::ServerStop);
    connection.CloseTaken = true; // logic takes nothing any more
    SetDeadline(connection, std::min(connection.Deadline, m_Server.EndDeadline));
    AdvanceClose(connection);
}

void IOWorker::HandleAttention()
{
    if (m_Attention.load(std::memory_order_relaxed) == nullptr)
        return;
    Connection* connection = m_Attention.exchange(nullptr, std::memory_order_acquire);
    while (connection != nullptr) {
        // Both before the connection is handled, which may free it; and the link before the bits, because a new
        // request may use it again as soon as they are cleared.
        Connection* const next = connection->AttentionNext;
        const uint32_t attention = connection->PendingAttention.exchange(0, std::memory_order_acq_rel);
        HandleAttention(*connection, attention);
        connection = next;
    }
}

void IOWorker::HandleAttention(Connection& connection, uint32_t attention)
{
    const auto has = [attention](Attention bit) { return (attention & static_cast<uint32_t>(bit)) != 0; };
    if (has(Attention::Adopt)) {
        Adopt(connection); // logic does not know it yet, so nothing else can be asked
        return;
    }
    if (!connection.Adopted)
        return; // asked for just before the server ended it
    if (has(Attention::SendFull) || has(Attention::SendNoMemory)) {
        m_Counters.SendBufferHighWater.Raise(connection.Send.Size());
        // It may have CloseTaken, too, and be freed by this; then there is nothing left to do.
        connection.CloseTaken |= has(Attention::CloseTaken);
        Break(connection, has(Attention::SendFull) ? CloseReason::SendBufferFull : CloseReason::OutOfMemory, true);
        return;
    }
    if (has(Attention::ResumeRecv)) {
        connection.IsRecvPaused = false;
        connection.LastPacket = m_Now; // nobody looked what it sent meanwhile
        if (connection.Receiving)
            QueueRecv(connection);
    }
    if (has(Attention::Send))
        Flush(connection);
    if (has(Attention::Disconnect))
        EndReceiving(connection, CloseReason::Logic);
    if (has(Attention::CloseTaken)) {
        connection.CloseTaken = true;
        SetDeadline(connection, std::min(connection.Deadline, m_Now + m_Server.Config.CloseTimeout));
    }
    AdvanceClose(connection);
}

// The accepting worker, about once a second: limits that were reached, and the performance line.
void IOWorker::Housekeep()
{
    const Log& log = m_Server.Logger;
    m_NextHousekeeping = m_Now + m_HousekeepingInterval;
    if (const uint64_t refused = m_Counters.ConnectionsRefused.Get(); refused != m_LoggedRefusals) {
        log.Write(LogLevel::Warn, "%" PRIu64 " connections refused: all %u places (MaxConnectionCount) are taken",
                  refused - m_LoggedRefusals, m_Server.Config.MaxConnectionCount);
        m_LoggedRefusals = refused;
    }
    const NetLib_Stats stats = CollectStats(m_Server);
    if (stats.MessagePoolExhausted != m_LoggedExhaustions) {
        log.Write(LogLevel::Warn,
                  "message pool exhausted %" PRIu64 " times: reading paused until logic gave messages back "
                  "(MaxMessagePoolCount %u + ExtraMessagePoolCount %u)",
                  stats.MessagePoolExhausted - m_LoggedExhaustions, m_Server.Config.MaxMessagePoolCount,
                  m_Server.Config.ExtraMessagePoolCount);
        m_LoggedExhaustions = stats.MessagePoolExhausted;
    } else if (stats.MessageReserveUsed != m_LoggedReserveUses) {
        log.Write(LogLevel::Warn, "message pool reserve in use: MaxMessagePoolCount %u is small for this load",
                  m_Server.Config.MaxMessagePoolCount);
    }
    m_LoggedReserveUses = stats.MessageReserveUsed;
    if (m_Performance.IsDue(m_Now))
        m_Performance.Report(stats, m_Now, log);
}

void IOWorker::PublishEvents() noexcept
{
    m_Server.Queue.Push(m_Events);
    m_Events = {};
}

} // namespace NetLib
