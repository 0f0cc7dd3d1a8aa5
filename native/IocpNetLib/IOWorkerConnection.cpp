// Receiving, sending and closing of one worker's connections.
#include "IOWorker.h"

#include <algorithm>
#include <array>
#include <utility>

#include "PacketFraming.h"

namespace NetLib {
namespace {

using namespace std::chrono_literals;

// Packets framed at a time: so many share one visit to the message pool.
constexpr size_t FramesAtATime = 64;
// Sends for one connection in one turn, so that a client that takes all it is sent does not hold up the others.
constexpr int SendsAtATime = 8;
// After the last byte is sent and the sending side shut down, what the client still sends is read and dropped for this
// long: closing a socket with unread data resets the connection, and the reset can overtake what was just sent
// (RFC 1122, section 4.2.2.13).
constexpr auto LingerTime = 1s;

const char* TextOf(CloseReason reason) noexcept
{
    switch (reason) {
    case CloseReason::None: return "none";
    case CloseReason::PeerClosed: return "closed by peer";
    case CloseReason::PeerReset: return "connection broken by peer";
    case CloseReason::PacketTooShort: return "protocol violation: PacketLength under 5";
    case CloseReason::PacketTooLong: return "protocol violation: PacketLength over MaxPacketSize";
    case CloseReason::SendBufferFull: return "client reads too slowly: send ring full";
    case CloseReason::Logic: return "closed by logic";
    case CloseReason::ServerStop: return "server stops";
    case CloseReason::OutOfMemory: return "out of memory";
    case CloseReason::FirstPacketTimeout: return "no packet in time after connecting";
    case CloseReason::IdleTimeout: return "no packet for too long";
    case CloseReason::PeerTimeout: return "peer vanished";
    case CloseReason::ProxyHeaderInvalid: return "protocol violation: no valid PROXY header";
    case CloseReason::ProxyHeaderNotAllowed:
        return "protocol violation: PROXY header from an address that is not in ProxySources";
    }
    return "unknown";
}

LogLevel LevelOf(CloseReason reason) noexcept
{
    switch (reason) {
    case CloseReason::PacketTooShort:
    case CloseReason::PacketTooLong:
    case CloseReason::SendBufferFull:
    case CloseReason::ProxyHeaderInvalid:
    case CloseReason::ProxyHeaderNotAllowed: return LogLevel::Warn;
    case CloseReason::OutOfMemory: return LogLevel::Error;
    default: return LogLevel::Debug;
    }
}

CloseReason ReasonOf(const IoOutcome& failure) noexcept
{
    if (IsOutOfResources(failure.Error))
        return CloseReason::OutOfMemory;
    return IsPeerSilent(failure.Error) ? CloseReason::PeerTimeout : CloseReason::PeerReset;
}

// Whether its socket is to be read at this moment.
bool MayReceive(const Connection& connection) noexcept
{
    if (!connection.Socket.IsOpen())
        return false;
    if (connection.SendShutdown) // it lingers: what comes is dropped
        return true;
    // An end of the stream that is read now would overtake the packets that wait: who serves them goes on.
    return connection.Receiving && !connection.WaitsForMessages && !connection.IsThrottled;
}

} // namespace

void IOWorker::QueueRecv(Connection& connection)
{
    if (connection.IsRecvQueued || connection.RecvInFlight || !connection.Socket.IsOpen())
        return;
    connection.IsRecvQueued = true;
    m_RecvQueue.push_back(&connection);
}

// One receive for each, so that a client with much to say does not delay the others.
void IOWorker::ContinueRecvs()
{
    if (m_RecvQueue.empty())
        return;
    m_Turn.clear();
    m_Turn.swap(m_RecvQueue);
    for (Connection* connection : m_Turn)
        connection->IsRecvQueued = false;
    for (Connection* connection : m_Turn)
        StartRecv(*connection);
}

void IOWorker::StartRecv(Connection& connection)
{
    if (connection.RecvInFlight || !MayReceive(connection))
        return;
    // Waits without a buffer, so that an idle connection needs none; not where that is an operation more for each packet.
    if (!connection.Recv.HasMemory() ||
        (connection.Recv.Unframed().empty() && (m_Io->WaitsForFree() || connection.IsRecvIdle))) {
        const IoOutcome outcome = m_Io->Recv(connection, {});
        if (outcome.Result == IoOutcome::Status::Pending) {
            connection.RecvInFlight = connection.IsRecvWait = true;
            return;
        }
        if (outcome.Result == IoOutcome::Status::Failed) {
            HandleRecv(connection, outcome);
            return;
        }
    }
    ReceiveInto(connection);
}

// There may be something to receive.
void IOWorker::ReceiveInto(Connection& connection)
{
    if (!MayReceive(connection))
        return;
    if (!connection.Recv.HasMemory() && !LendRecvRing(connection)) {
        Break(connection, CloseReason::OutOfMemory, true);
        return;
    }
    const uint32_t wanted = m_Server.Config.MaxRecvOverlappedBufferSize;
    auto buffer = connection.Recv.GetWriteBuffer(wanted);
    if (buffer.empty()) {
        // Logic was not asked any more (the server ends), so the ring does not become free.
        if (connection.SendShutdown) {
            CloseSocket(connection, false);
            AdvanceClose(connection);
            return;
        }
        connection.RecvPaused.store(true, std::memory_order_seq_cst);
        buffer = connection.Recv.GetWriteBuffer(wanted);
        if (buffer.empty()) {
            m_Counters.ReceivesPaused.Increment();
            connection.IsRecvPaused = true;
            return;
        }
        connection.RecvPaused.store(false, std::memory_order_relaxed);
    }
    const IoOutcome outcome = m_Io->Recv(connection, buffer);
    if (outcome.Result == IoOutcome::Status::Pending)
        connection.RecvInFlight = true;
    else
        HandleRecv(connection, outcome);
}

bool IOWorker::LendRecvRing(Connection& connection)
{
    auto memory = m_RecvBuffers.Take();
    if (memory == nullptr)
        return false;
    connection.Recv.Lend(std::move(memory));
    connection.IsRecvLent = true;
    m_RecvLent.push_back(&connection);
    return true;
}

void IOWorker::OnRecvDone(IoSocket& socket, IoOutcome outcome)
{
    auto& connection = static_cast<Connection&>(socket);
    connection.RecvInFlight = false;
    if (std::exchange(connection.IsRecvCancelled, false) && outcome.Result == IoOutcome::Status::Failed &&
        connection.Socket.IsOpen())
        StartRecv(connection); // which fails again if more than the cancellation is behind it
    else if (std::exchange(connection.IsRecvWait, false) && outcome.Result == IoOutcome::Status::Done)
        ReceiveInto(connection);
    else
        HandleRecv(connection, outcome);
}

void IOWorker::HandleRecv(Connection& connection, IoOutcome outcome)
{
    if (outcome.Result == IoOutcome::Status::Failed) {
        // Also the last completion of a socket that was closed here.
        Break(connection, ReasonOf(outcome), false);
        return;
    }
    if (outcome.Bytes == 0) {
        connection.PeerEnded = true;
        EndReceiving(connection, CloseReason::PeerClosed);
        AdvanceClose(connection);
        return;
    }
    m_Counters.BytesReceived.Add(outcome.Bytes);
    connection.IsRecvIdle = false;
    connection.Recv.Received(outcome.Bytes);
    if (connection.Receiving) {
        const bool hasPackets = connection.Opens == Opening::Over || TakeOpening(connection);
        if (hasPackets && DeliverPackets(connection))
            QueueRecv(connection);
    } else {
        m_Counters.BytesReceivedDiscarded.Add(connection.Recv.DiscardUnframed());
        if (connection.SendShutdown)
            QueueRecv(connection);
    }
    AdvanceClose(connection);
}

// Hands every whole packet in the receive ring to logic. Returns whether reading goes on at once; otherwise the
// connection waits for messages or for its share of the rate, or ends. It waits for neither when this is called.
bool IOWorker::DeliverPackets(Connection& connection)
{
    const RateLimit limit = connection.IsRateOff ? RateLimit{} : m_Limits.Rate;
    for (;;) {
        std::array<uint32_t, FramesAtATime> sizes;
        size_t count = 0;
        const RateMeter rateBefore = connection.Rate;
        std::chrono::nanoseconds wait{0};
        auto stream = connection.Recv.Unframed();
        Frame frame{};
        while (count < sizes.size()) {
            frame = NextFrame(stream, m_Server.Config.MaxPacketSize);
            if (frame.Result != Frame::Status::Complete)
                break;
            if (limit.IsOn()) {
                wait = connection.Rate.Take(limit, frame.Size, m_Now);
                if (wait.count() > 0)
                    break;
            }
            sizes[count++] = frame.Size;
            stream = stream.subspan(frame.Size);
        }

        std::array<Message*, FramesAtATime> messages;
        uint32_t given = 0;
        if (count != 0)
            given = m_Server.Messages.Allocate(std::span(messages).first(count), m_Index);
        for (uint32_t i = 0; i < given; ++i) {
            const std::byte* const data = connection.Recv.Unframed().data();
            *messages[i] = {.Owner = &connection,
                            .Data = data,
                            .Size = sizes[i],
                            .GiveBack = connection.Recv.HandOut(sizes[i]),
                            .Type = MessageType::OnRecv};
            m_Events.Append(*messages[i]);
        }
        m_Counters.PacketsReceived.Add(given);
        if (given != 0)
            NotePackets(connection);
        if (given < count) {
            connection.Rate = rateBefore; // the others take their share when there are messages for them
            for (uint32_t i = 0; limit.IsOn() && i < given; ++i)
                (void)connection.Rate.Take(limit, sizes[i], m_Now);
            if (!connection.WaitsForMessages)
                m_Counters.MessagePoolExhausted.Increment();
            connection.WaitsForMessages = true;
            m_MessageWaiters.push_back(&connection);
            return false;
        }
        connection.WaitsForMessages = false;
        if (wait.count() > 0) {
            Throttle(connection, wait);
            return false;
        }
        switch (frame.Result) {
        case Frame::Status::Complete: continue; // there may be more
        case Frame::Status::Incomplete: return true;
        case Frame::Status::TooShort: EndReceiving(connection, CloseReason::PacketTooShort); return false;
        case Frame::Status::TooLong: EndReceiving(connection, CloseReason::PacketTooLong); return false;
        }
    }
}

// What waits for its share was received before the end that comes now, and is delivered before it.
void IOWorker::DeliverWaiting(Connection& connection)
{
    connection.IsRateOff = true;
    if (connection.Receiving && std::exchange(connection.IsThrottled, false))
        (void)DeliverPackets(connection);
}

void IOWorker::NotePackets(Connection& connection) noexcept
{
    connection.LastPacket = m_Now;
    if (!std::exchange(connection.HasSentPacket, true))
        ArmTimer(connection); // another limit holds from here on; later the timer finds out by itself
}

// Logic gave messages back. Those that waited longest are served first; who was served and is short again waits behind
// the others, so that a client with much to say does not keep the pool to itself.
void IOWorker::ServeMessageWaiters()
{
    const uint64_t receivedBefore = m_Counters.PacketsReceived.Get();
    m_Turn.clear();
    m_Turn.swap(m_MessageWaiters);
    for (Connection* connection : m_Turn) {
        if (!m_MessageWaiters.empty()) { // the pool is empty again, and they came first
            m_MessageWaiters.push_back(connection);
            continue;
        }
        if (!connection->Receiving) {
            connection->WaitsForMessages = false;
        } else if (DeliverPackets(*connection)) {
            if (m_Phase == StopPhase::Running)
                QueueRecv(*connection);
            else // StopReading left it to deliver these first
                EndReceiving(*connection, CloseReason::ServerStop);
        }
    }
    // The first one in the list is the one that the pool ran out on.
    if (m_MessageWaiters.size() > 1 && m_Counters.PacketsReceived.Get() != receivedBefore)
        std::rotate(m_MessageWaiters.begin(), m_MessageWaiters.begin() + 1, m_MessageWaiters.end());
}

void IOWorker::Flush(Connection& connection)
{
    m_Counters.SendBufferHighWater.Raise(connection.Send.Size());
    if (connection.SendInFlight) {
        m_Io->HurryReports(); // the one in flight may be reported late, and this waits behind it
        return;
    }
    for (int sends = 0; !connection.SendInFlight && connection.Socket.IsOpen(); ++sends) {
        if (sends == SendsAtATime) {
            Request(connection, Attention::Send); // the next turn goes on
            return;
        }
        const auto pieces = connection.Send.GetSendAbleData(m_Server.Config.MaxSendOverlappedBufferSize);
        if (pieces[0].empty()) {
            if (connection.Send.WasRingRead() && !std::exchange(connection.IsSendDrained, true))
                m_SendDrained.push_back(&connection);
            return;
        }
        const IoOutcome outcome =
            m_Io->Send(connection, pieces[0], pieces[1], MayReportLate(connection, pieces[0].size()));
        switch (outcome.Result) {
        case IoOutcome::Status::Pending: connection.SendInFlight = true; return;
        case IoOutcome::Status::Done:
            m_Counters.BytesSent.Add(outcome.Bytes);
            connection.Send.SendCompleted(outcome.Bytes);
            break;
        case IoOutcome::Status::Failed:
            DeliverWaiting(connection);
            EndReceiving(connection, ReasonOf(outcome));
            CloseSocket(connection, false);
            return;
        }
    }
}

// Until a send is reported its bytes count as queued. That must neither hold up what is queued behind it, nor the end of
// a connection, nor let the ring look full to somebody who submits from another thread meanwhile, unless it is all of a
// ring at once.
bool IOWorker::MayReportLate(const Connection& connection, size_t size) const noexcept
{
    constexpr uint32_t SmallPart = 8;
    return m_IsInline && !connection.CloseTaken && connection.Send.Size() == size &&
           size <= m_Server.Config.ConnectionMaxSendBufferSize / SmallPart;
}

void IOWorker::OnSendDone(IoSocket& socket, IoOutcome outcome)
{
    auto& connection = static_cast<Connection&>(socket);
    connection.SendInFlight = false;
    if (outcome.Result == IoOutcome::Status::Failed) {
        DeliverWaiting(connection);
        Break(connection, ReasonOf(outcome), false);
        return;
    }
    m_Counters.BytesSent.Add(outcome.Bytes);
    connection.Send.SendCompleted(outcome.Bytes);
    Flush(connection);
    AdvanceClose(connection);
}

// The first reason is the one that counts.
void IOWorker::EndReceiving(Connection& connection, CloseReason reason, const char* detail)
{
    if (connection.Reason != CloseReason::None)
        return;
    if (connection.IsHeldTooLong) // which came first
        reason = CloseReason::PacketTooLong;
    connection.Reason = reason;
    connection.Receiving = false;
    if (connection.IsTold) {
        connection.CloseMessage.Reason = static_cast<uint16_t>(reason);
        m_Events.Append(connection.CloseMessage);
    } else {
        EndUntold(connection);
    }
    m_Counters.Closed[static_cast<size_t>(reason)].Increment();
    m_Server.Logger.WriteAbout(connection.Id(), LevelOf(reason), "connection %u from %s ends: %s%s%s", connection.Index,
                               connection.Peer.data(), TextOf(reason), detail == nullptr ? "" : ": ",
                               detail == nullptr ? "" : detail);
}

void IOWorker::Break(Connection& connection, CloseReason reason, bool abort)
{
    EndReceiving(connection, reason);
    CloseSocket(connection, abort);
    AdvanceClose(connection);
}

void IOWorker::CloseSocket(Connection& connection, bool abort)
{
    if (!connection.Socket.IsOpen())
        return;
    connection.SendClosed.store(true, std::memory_order_relaxed);
    m_Io->Close(connection, abort);
}

// Takes the next step of a connection that ends, if what the step waits for has happened.
void IOWorker::AdvanceClose(Connection& connection)
{
    if (!connection.CloseTaken)
        return; // still alive, or logic may still answer what it was given
    if (connection.Socket.IsOpen()) {
        Flush(connection); // the deadline ends it if the client does not read
        if (connection.Socket.IsOpen() && connection.Send.Size() != 0) {
            m_Io->HurryReports();
            return;
        }
        if (connection.PeerEnded) {
            CloseSocket(connection, false);
        } else if (!connection.SendShutdown && connection.Socket.IsOpen()) {
            connection.SendShutdown = true;
            connection.Socket.ShutdownSend();
            SetDeadline(connection, std::min(connection.Deadline, m_Now + LingerTime));
            m_Counters.BytesReceivedDiscarded.Add(connection.Recv.DiscardUnframed());
            QueueRecv(connection);
        }
    }
    if (connection.IsIoOver)
        Free(connection);
}

void IOWorker::OnClosed(IoSocket& socket)
{
    auto& connection = static_cast<Connection&>(socket);
    connection.IsIoOver = true;
    AdvanceClose(connection);
}

void IOWorker::Free(Connection& connection)
{
    if (connection.IsRecvQueued)
        std::erase(m_RecvQueue, &connection);
    if (connection.WaitsForMessages)
        std::erase(m_MessageWaiters, &connection);
    connection.IsRecvQueued = connection.WaitsForMessages = connection.Adopted = false;

    m_Timers.Disarm(connection);
    connection.IsThrottled = false;
    m_Connections[connection.WorkerPosition] = m_Connections.back();
    m_Connections[connection.WorkerPosition]->WorkerPosition = connection.WorkerPosition;
    m_Connections.pop_back();

    m_Counters.BytesReceivedDiscarded.Add(connection.Recv.DiscardUnframed());
    if (std::exchange(connection.IsRecvLent, false)) {
        std::erase(m_RecvLent, &connection);
        m_RecvBuffers.Give(connection.Recv.Reclaim());
    }
    m_Counters.BytesDiscardedOnClose.Add(connection.Send.Size());
    if (std::exchange(connection.IsSendDrained, false))
        std::erase(m_SendDrained, &connection);
    {
        const std::lock_guard lock(m_Server.LogicMutex);
        m_Server.SendBuffers.Give(connection.Send.Reclaim());
    }
    connection.AcceptedSocket.Close();
    m_Freed.push_back(&connection);
}

// At the end of a turn: until then a completion that was taken together with the last one may still name the place, and
// must not find another client in it. One that is in the list of attention stays until that was looked at: its next
// client may be another worker's, and would be found in this one's list.
void IOWorker::ReturnFreed() noexcept
{
    std::erase_if(m_Freed, [this](Connection* connection) {
        if (connection->PendingAttention.load(std::memory_order_acquire) != 0)
            return false;
        m_ConnectionCount.fetch_sub(1, std::memory_order_relaxed);
        m_Server.Connections.Return(*connection);
        return true;
    });
}

} // namespace NetLib
