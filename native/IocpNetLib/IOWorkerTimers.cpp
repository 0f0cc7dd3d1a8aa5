// The times that one worker's connections wait for: an end of silence, of a pause, of closing.
#include "IOWorker.h"

#include <algorithm>

namespace NetLib {
namespace {

// When the client has been silent for too long, unless it completes a packet before; max: never.
std::chrono::steady_clock::time_point SilentUntil(const Connection& connection, const Limits& limits) noexcept
{
    const auto limit = connection.HasSentPacket ? limits.IdleTimeout : limits.FirstPacketTimeout;
    return limit.count() == 0 ? std::chrono::steady_clock::time_point::max() : connection.LastPacket + limit;
}

} // namespace

uint64_t IOWorker::TickOf(Clock::time_point time) const noexcept
{
    if (time == Clock::time_point::max())
        return TimerWheel::Never;
    return static_cast<uint64_t>(std::chrono::ceil<TimerTick>(std::max(time, m_TimerEpoch) - m_TimerEpoch).count());
}

IOWorker::Clock::time_point IOWorker::NextTimer() const noexcept
{
    const uint64_t tick = m_Timers.NextTick();
    return tick == TimerWheel::Never ? Clock::time_point::max()
                                     : m_TimerEpoch + TimerTick(static_cast<TimerTick::rep>(tick));
}

void IOWorker::ArmTimer(Connection& connection) noexcept
{
    auto due = connection.Deadline;
    if (connection.IsThrottled)
        due = std::min(due, connection.ResumeAt);
    if (connection.Receiving)
        due = std::min(due, SilentUntil(connection, m_Limits));
    const uint64_t tick = TickOf(due);
    if (tick == TimerWheel::Never)
        m_Timers.Disarm(connection);
    else
        m_Timers.Arm(connection, tick);
}

void IOWorker::SetDeadline(Connection& connection, Clock::time_point deadline) noexcept
{
    connection.Deadline = deadline;
    ArmTimer(connection);
}

void IOWorker::HandleTimers()
{
    if (m_Now >= m_NextAcceptTry) {
        m_NextAcceptTry = Clock::time_point::max();
        m_Io->ResumeAccept();
    }
    const auto now = static_cast<uint64_t>(std::chrono::floor<TimerTick>(m_Now - m_TimerEpoch).count());
    m_Timers.Advance(now, [this](TimerNode& node) { HandleTimer(static_cast<Connection&>(node)); });
}

void IOWorker::HandleTimer(Connection& connection)
{
    if (m_Now >= connection.Deadline)
        CutOff(connection);
    if (!connection.Adopted)
        return; // freed
    if (connection.IsThrottled && m_Now >= connection.ResumeAt)
        ResumeThrottled(connection);
    if (connection.Receiving && m_Now >= SilentUntil(connection, m_Limits))
        HandleSilence(connection);
    if (connection.Adopted)
        ArmTimer(connection);
}

// The time for closing is over.
void IOWorker::CutOff(Connection& connection)
{
    connection.Deadline = Clock::time_point::max();
    const bool unsent = connection.Send.Size() != 0;
    if (unsent && connection.Socket.IsOpen())
        m_Counters.CloseTimeouts.Increment();
    // Nothing waits for it any more at the end of a server, and a socket that the system keeps for a client that does
    // not end its side may keep the port from the next start (Windows).
    CloseSocket(connection, unsent || m_Phase == StopPhase::Ending);
    AdvanceClose(connection);
}

void IOWorker::HandleSilence(Connection& connection)
{
    if (connection.IsThrottled || connection.WaitsForMessages || connection.IsRecvPaused) {
        connection.LastPacket = m_Now; // it may well have sent something: nobody has looked
        return;
    }
    if (connection.LastPacket < m_ServedAgain) {
        connection.LastPacket = m_ServedAgain; // nor had anybody before
        return;
    }
    EndReceiving(connection, connection.HasSentPacket ? CloseReason::IdleTimeout : CloseReason::FirstPacketTimeout);
    AdvanceClose(connection);
}

void IOWorker::Throttle(Connection& connection, std::chrono::nanoseconds wait)
{
    m_Counters.ReceivesThrottled.Increment();
    if (!connection.HasBeenThrottled) {
        connection.HasBeenThrottled = true;
        m_Server.Logger.WriteAbout(
            connection.Id(), LogLevel::Warn,
            "connection %u from %s sends more than MaxPacketsPerSecond or MaxBytesPerSecond: it is "
            "read more slowly",
            connection.Index, connection.Peer.data());
    }
    connection.IsThrottled = true;
    connection.ResumeAt = m_Now + std::chrono::duration_cast<Clock::duration>(wait);
    ArmTimer(connection);
}

void IOWorker::ResumeThrottled(Connection& connection)
{
    connection.IsThrottled = false;
    if (connection.Receiving && DeliverPackets(connection))
        QueueRecv(connection);
    AdvanceClose(connection);
}

} // namespace NetLib
