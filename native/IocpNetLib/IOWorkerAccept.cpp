// New connections: the accepting worker takes them and deals them out.
#include "IOWorker.h"

#include <algorithm>
#include <utility>

namespace NetLib {
namespace {

using namespace std::chrono_literals;

// How long accepting rests when the system has no descriptor for another socket: long enough not to burn a core, short
// enough that a client hardly notices.
constexpr auto AcceptPause = 100ms;

} // namespace

void IOWorker::OnAccepted(UniqueSocket socket, const SocketAddress& peer)
{
    if (m_HasStoppedAccepting) {
        m_Counters.ConnectionsRefusedAtStop.Increment();
        return;
    }
    Connection* const connection = m_Server.Connections.Take();
    if (connection == nullptr) {
        m_Counters.ConnectionsRefused.Increment();
        return;
    }
    IOWorker& worker = LeastLoaded();
    worker.m_ConnectionCount.fetch_add(1, std::memory_order_relaxed);
    m_Server.OpenForLogic.fetch_add(1, std::memory_order_acq_rel);
    connection->Begin(worker, std::move(socket), peer, OpeningOf(peer), m_Server.Config.ConnectionMaxSendBufferSize);
    if (&worker == this) {
        Adopt(*connection);
    } else {
        worker.Request(*connection, Attention::Adopt);
        worker.Wake();
    }
}

// A peer that has gone before its address was asked for is nobody's proxy: what it sent may not choose its address.
Opening IOWorker::OpeningOf(const SocketAddress& peer) const noexcept
{
    const NetworkList& sources = m_Server.Config.ProxySources;
    if (sources.IsEmpty())
        return Opening::Signature;
    const auto address = peer.Ip();
    return address && sources.Contains(*address) ? Opening::Header : Opening::Signature;
}

IOWorker& IOWorker::LeastLoaded() noexcept
{
    const auto& workers = m_Server.Workers;
    return **std::min_element(workers.begin(), workers.end(), [](const auto& a, const auto& b) {
        return a->m_ConnectionCount.load(std::memory_order_relaxed) <
               b->m_ConnectionCount.load(std::memory_order_relaxed);
    });
}

void IOWorker::OnAcceptFailed(int error)
{
    m_Counters.AcceptErrors.Increment();
    m_Server.Logger.Write(LogLevel::Debug, "accept failed: %s", SocketErrorText(error).c_str());
}

void IOWorker::OnAcceptPaused(int error)
{
    m_Counters.AcceptErrors.Increment();
    // One line an episode: while accepting rests and is tried again in vain, the error is the same one.
    if (error != m_LastAcceptError || m_Now >= m_AcceptErrorSilence)
        m_Server.Logger.Write(LogLevel::Error, "accepting paused: %s; trying again every %d ms",
                              SocketErrorText(error).c_str(), static_cast<int>(AcceptPause.count()));
    m_LastAcceptError = error;
    m_AcceptErrorSilence = m_Now + 1s;
    if (!m_HasStoppedAccepting)
        m_NextAcceptTry = m_Now + AcceptPause;
}

void IOWorker::StopAccepting()
{
    if (!m_Accepts || std::exchange(m_HasStoppedAccepting, true))
        return;
    m_NextAcceptTry = Clock::time_point::max();
    m_Io->StopListening();
}

void IOWorker::Adopt(Connection& connection)
{
    connection.WorkerPosition = static_cast<uint32_t>(m_Connections.size());
    m_Connections.push_back(&connection);
    connection.Adopted = true;
    m_Server.Logger.WriteAbout(connection.Id(), LogLevel::Debug, "connection %u accepted from %s", connection.Index,
                               connection.Peer.data());

    if (connection.Opens != Opening::Header)
        Tell(connection);
    if (m_Phase == StopPhase::Ending)
        connection.CloseTaken = true; // logic takes nothing any more, so whatever ends it below frees it
    if (!m_Io->Attach(connection, std::move(connection.AcceptedSocket))) {
        Break(connection, CloseReason::PeerReset, true);
        return;
    }
    connection.Recv.Create(m_Server.Config.ConnectionMaxRecvBufferSize, m_Server.Config.MaxPacketSize);
    if constexpr (!AcceptedSocketsInheritOptions)
        m_Server.Config.SetConnectionOptions(connection.Socket);
    if (m_Phase != StopPhase::Running) { // it was on its way here when the stop began
        EndReceiving(connection, CloseReason::ServerStop);
        if (m_Phase == StopPhase::Ending)
            EndConnection(connection); // with a deadline
        else
            AdvanceClose(connection); // logic may know nothing of it
        return;
    }
    if (connection.Opens == Opening::Header && !PrepareHeader(connection)) {
        Break(connection, CloseReason::OutOfMemory, true);
        return;
    }
    connection.Receiving = true;
    connection.LastPacket = m_Now;
    connection.Rate.Begin(m_Now);
    ArmTimer(connection);
    QueueRecv(connection);
}

} // namespace NetLib
