#include "Statistics.h"

#include "IOWorker.h"
#include "ServerContext.h"

namespace NetLib {

NetLib_Stats CollectStats(const ServerContext& server) noexcept
{
    NetLib_Stats stats{};
    stats.StructSize = sizeof(stats);
    // First: whoever sees that a connection has gone sees what it counted at its end, too.
    stats.ConnectionsCurrent = server.Connections.InUse();
    for (const auto& worker : server.Workers)
        worker->Counters().AddTo(stats);
    const MessagePool::Usage pool = server.Messages.GetUsage();
    stats.MessagesInUse = pool.InUse;
    stats.MessageReserveUsed = pool.ReserveUsed;
    stats.PacketsSent = server.Logic.PacketsSent.Get();
    for (size_t i = 0; i < server.Logic.SendsDropped.size(); ++i)
        stats.SendsDropped[i] = server.Logic.SendsDropped[i].Get();
    return stats;
}

} // namespace NetLib
