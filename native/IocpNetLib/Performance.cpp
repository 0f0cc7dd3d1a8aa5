#include "Performance.h"

#include <algorithm>
#include <cinttypes>

#include "Log.h"

namespace NetLib {

void IOCounters::AddTo(NetLib_Stats& stats) const noexcept
{
    stats.ConnectionsAccepted += ConnectionsAccepted.Get();
    stats.ConnectionsRefused += ConnectionsRefused.Get();
    stats.ConnectionsRefusedAtStop += ConnectionsRefusedAtStop.Get();
    stats.AcceptErrors += AcceptErrors.Get();
    stats.PacketsReceived += PacketsReceived.Get();
    stats.BytesReceived += BytesReceived.Get();
    stats.BytesSent += BytesSent.Get();
    stats.MessagePoolExhausted += MessagePoolExhausted.Get();
    stats.ReceivesPaused += ReceivesPaused.Get();
    stats.ReceivesThrottled += ReceivesThrottled.Get();
    stats.CloseTimeouts += CloseTimeouts.Get();
    stats.BytesDiscardedOnClose += BytesDiscardedOnClose.Get();
    stats.BytesReceivedDiscarded += BytesReceivedDiscarded.Get();
    stats.SendBufferHighWater = std::max(stats.SendBufferHighWater, SendBufferHighWater.Get());
    for (size_t i = 0; i < Closed.size(); ++i)
        stats.Closed[i] += Closed[i].Get();
}

Performance::Performance(std::chrono::milliseconds period, Clock::time_point now) noexcept
    : m_Period(period), m_Last(now), m_Next(period.count() > 0 ? now + period : Clock::time_point::max())
{
}

void Performance::Report(const NetLib_Stats& stats, Clock::time_point now, const Log& log) noexcept
{
    const double seconds = std::chrono::duration<double>(now - m_Last).count();
    const auto perSecond = [seconds](uint64_t value, uint64_t before) {
        return static_cast<double>(value - before) / seconds;
    };
    log.Write(LogLevel::Info,
              "performance: %" PRIu64 " connections, %.0f packets/s in, %.0f packets/s out, %.0f bytes/s in, "
              "%.0f bytes/s out, %" PRIu64 " messages in use",
              stats.ConnectionsCurrent, perSecond(stats.PacketsReceived, m_LastStats.PacketsReceived),
              perSecond(stats.PacketsSent, m_LastStats.PacketsSent),
              perSecond(stats.BytesReceived, m_LastStats.BytesReceived),
              perSecond(stats.BytesSent, m_LastStats.BytesSent), stats.MessagesInUse);
    m_LastStats = stats;
    m_Last = now;
    m_Next = now + m_Period;
}

} // namespace NetLib
