// How a client's bytes begin: with a PROXY header where one has to come, and nowhere else.
#include "IOWorker.h"

#include <new>

#include "PacketFraming.h"

namespace NetLib {

bool IOWorker::PrepareHeader(Connection& connection) noexcept
{
    try {
        connection.Header = std::make_unique<ProxyHeaderReader>();
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

bool IOWorker::TakeOpening(Connection& connection)
{
    return connection.Opens == Opening::Header ? TakeHeader(connection) : TakeSignature(connection);
}

bool IOWorker::TakeHeader(Connection& connection)
{
    ProxyHeaderReader& header = *connection.Header;
    const size_t before = header.Size();
    const auto isComplete = header.Take(connection.Recv.Unframed());
    // The ring may be smaller than the header: what was taken leaves it. Logic, which otherwise gives back, does not know
    // the connection yet.
    connection.Recv.GiveBack(connection.Recv.HandOut(static_cast<uint32_t>(header.Size() - before)));
    if (!isComplete) {
        EndReceiving(connection, CloseReason::ProxyHeaderInvalid, TextOf(isComplete.error()));
        return false;
    }
    if (!*isComplete) {
        QueueRecv(connection);
        return false;
    }
    connection.Opens = Opening::Over;
    if (const auto& client = header.Client()) {
        const auto proxy = connection.Peer;
        connection.SetPeer(SocketAddress(*client));
        m_Server.Logger.WriteAbout(connection.Id(), LogLevel::Debug, "connection %u from %s is proxied by %s",
                                   connection.Index, connection.Peer.data(), proxy.data());
    }
    connection.Header.reset();
    Tell(connection);
    return true;
}

// The signatures begin with what is a PacketLength, too: 21,072 and 2,573. Where that is allowed, the ring holds all of
// the signature, and packets are made of it if it turns out to be none. Where it is too long nothing else can come of
// it, and the ring, which may be that small, need not hold it.
bool IOWorker::TakeSignature(Connection& connection)
{
    const auto stream = connection.Recv.Unframed();
    const auto unseen = connection.IsHeldTooLong ? stream : stream.subspan(connection.Signature.Size());
    switch (connection.Signature.Take(unseen)) {
    case ProxySignature::Match::Open:
        if (connection.IsHeldTooLong ||
            NextFrame(stream, m_Server.Config.MaxPacketSize).Result == Frame::Status::TooLong) {
            connection.IsHeldTooLong = true;
            m_Counters.BytesReceivedDiscarded.Add(connection.Recv.DiscardUnframed());
        }
        QueueRecv(connection);
        return false;
    case ProxySignature::Match::None:
        connection.Opens = Opening::Over;
        if (!connection.IsHeldTooLong)
            return true;
        EndReceiving(connection, CloseReason::PacketTooLong);
        return false;
    case ProxySignature::Match::V1:
    case ProxySignature::Match::V2: break;
    }
    connection.IsHeldTooLong = false;
    // Of one that has gone already nobody knows whether it might: a balancer's check, say, which connects and resets.
    EndReceiving(connection, connection.IsPeerKnown ? CloseReason::ProxyHeaderNotAllowed : CloseReason::PeerReset);
    return false;
}

// From here on logic knows it.
void IOWorker::Tell(Connection& connection) noexcept
{
    connection.IsTold = true;
    m_Counters.ConnectionsAccepted.Increment();
    m_Events.Append(connection.ConnectionMessage);
}

// It ends, and logic never hears of it: so nobody gives a Close back, and nothing is left to be sent.
void IOWorker::EndUntold(Connection& connection) noexcept
{
    connection.CloseTaken = true;
    if (connection.Header) {
        m_Counters.BytesReceivedDiscarded.Add(connection.Header->Size());
        connection.Header.reset();
    }
    m_Server.OpenForLogic.fetch_sub(1, std::memory_order_acq_rel);
    // It may be the last one that a logic which stops waits for.
    if (m_Phase != StopPhase::Running)
        m_Server.Queue.Recheck();
}

} // namespace NetLib
