// Logic's side of a running server: taking events, giving them back, sending.
#include "IOCPServerNet.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace NetLib {
namespace {

// Without I/O threads: how long what logic sends may wait while it works on what had come before.
constexpr std::chrono::milliseconds LongestDelayOfSends{1};

// Lets one thread poll at a time.
class PollGate {
public:
    explicit PollGate(std::atomic_flag& flag) noexcept
        : m_Flag(flag), m_IsMine(!flag.test_and_set(std::memory_order_acquire))
    {
    }
    PollGate(const PollGate&) = delete;
    PollGate& operator=(const PollGate&) = delete;
    ~PollGate()
    {
        if (m_IsMine)
            m_Flag.clear(std::memory_order_release);
    }
    [[nodiscard]] bool IsMine() const noexcept { return m_IsMine; }

private:
    std::atomic_flag& m_Flag;
    bool m_IsMine;
};

} // namespace

NetLib_Result IOCPServerNet::Poll(std::span<NetLib_Message> messages, int32_t waitMilliseconds, uint32_t& count)
{
    count = 0;
    const PollGate gate(m_PollGate);
    if (!gate.IsMine())
        return NetLib_Result_Busy;
    GiveBackHandedOut();
    if (const NetLib_Result result = WaitForMessages(waitMilliseconds); result != NetLib_Result_Success)
        return result;

    const std::lock_guard lock(m_Context.LogicMutex);
    while (count < messages.size() && !m_Taken.IsEmpty()) {
        const Message& message = HandOutNext();
        messages[count++] = {.ConnectionId = message.Owner->Id(),
                             .Data = reinterpret_cast<const uint8_t*>(message.Data),
                             .Size = message.Size,
                             .Type = static_cast<uint16_t>(message.Type),
                             .Reason = message.Reason};
    }
    return NetLib_Result_Success;
}

NetLib_Result IOCPServerNet::GetNetworkMessage(int8_t& type, NetLib_ConnectionId& connectionId, std::span<char> buffer,
                                               uint32_t& copySize, int32_t waitMilliseconds)
{
    type = NetLib_MessageType_None;
    copySize = 0;
    const PollGate gate(m_PollGate);
    if (!gate.IsMine())
        return NetLib_Result_Busy;
    GiveBackHandedOut();
    if (const NetLib_Result result = WaitForMessages(waitMilliseconds); result != NetLib_Result_Success)
        return result;
    if (m_Taken.IsEmpty())
        return NetLib_Result_NoMessage;
    copySize = m_Taken.First->Size;
    if (copySize > buffer.size())
        return NetLib_Result_BufferTooSmall;

    {
        const std::lock_guard lock(m_Context.LogicMutex);
        const Message& message = HandOutNext();
        type = static_cast<int8_t>(message.Type);
        connectionId = message.Owner->Id();
        if (copySize != 0)
            std::memcpy(buffer.data(), message.Data, copySize);
    }
    GiveBackHandedOut();
    return NetLib_Result_Success;
}

NetLib_Result IOCPServerNet::Release()
{
    const PollGate gate(m_PollGate);
    if (!gate.IsMine())
        return NetLib_Result_Busy;
    GiveBackHandedOut();
    return NetLib_Result_Success;
}

NetLib_Result IOCPServerNet::WaitForMessages(int32_t waitMilliseconds)
{
    return m_Inline != nullptr ? ServeInline(waitMilliseconds) : WaitForWorkers(waitMilliseconds);
}

std::optional<NetLib_Result> IOCPServerNet::TakeMessages() noexcept
{
    if (m_PollingEnded.load(std::memory_order_acquire))
        return NetLib_Result_Stopped;
    if (!m_Taken.IsEmpty())
        return NetLib_Result_Success;
    // Before the queue is looked at: what was published before the last worker stopped is then seen.
    const bool isDelivered = IsDelivered();
    m_Taken = m_Context.Queue.PopAll();
    if (!m_Taken.IsEmpty())
        return NetLib_Result_Success;
    if (isDelivered)
        return NetLib_Result_Stopped;
    return std::nullopt;
}

NetLib_Result IOCPServerNet::WaitForWorkers(int32_t waitMilliseconds)
{
    using Clock = std::chrono::steady_clock;
    auto until = Clock::time_point::max();
    if (waitMilliseconds > 0)
        until = Clock::now() + std::chrono::milliseconds(waitMilliseconds);
    for (bool mayWait = waitMilliseconds != 0;;) {
        if (const auto result = TakeMessages())
            return *result;
        if (!mayWait)
            return NetLib_Result_Success;
        mayWait = m_Context.Queue.Wait(until) == LogicQueue::WaitEnd::Ready;
    }
}

NetLib_Result IOCPServerNet::ServeInline(int32_t waitMilliseconds)
{
    using Clock = IOWorker::Clock;
    auto until = Clock::time_point::max();
    if (waitMilliseconds >= 0)
        until = Clock::now() + std::chrono::milliseconds(waitMilliseconds);
    // Much more may have come than one poll takes. What logic sends meanwhile has to leave, but not with each poll: the
    // answers to all of it leave in fewer sends.
    if (!m_Taken.IsEmpty() && m_Inline->HasAttention()) {
        if (const auto now = Clock::now(); now - m_Inline->Now() >= LongestDelayOfSends)
            m_Inline->Serve(now);
    }
    // At least one turn is served, also when there is no time to wait.
    for (bool mayWait = true;; mayWait = m_Inline->Now() < until) {
        if (const auto result = TakeMessages()) {
            if (result == NetLib_Result_Stopped && !m_PollingEnded.load(std::memory_order_relaxed))
                m_Inline->Serve(Clock::now()); // the connections still have their ends before them
            return *result;
        }
        if (!mayWait || m_PollWoken.exchange(false, std::memory_order_acq_rel))
            return NetLib_Result_Success;
        m_Inline->Serve(until);
    }
}

void IOCPServerNet::WakePoll() noexcept
{
    if (m_Inline == nullptr) {
        m_Context.Queue.Wake();
        return;
    }
    m_PollWoken.store(true, std::memory_order_release);
    m_Inline->NotifyPoll();
}

bool IOCPServerNet::IsDelivered() const noexcept
{
    return m_Context.WorkersStopped.load(std::memory_order_acquire) == m_Context.Workers.size() &&
           m_Context.OpenForLogic.load(std::memory_order_acquire) == 0;
}

const Message& IOCPServerNet::HandOutNext() noexcept
{
    Message& message = *m_Taken.TakeFirst();
    if (message.Type == MessageType::Connection)
        message.Owner->LogicOpen = true;
    m_HandedOut.Append(message);
    return message;
}

void IOCPServerNet::GiveBackHandedOut() noexcept
{
    if (m_HandedOut.IsEmpty())
        return;
    const std::lock_guard lock(m_Context.LogicMutex);
    MessageList toPool;
    while (!m_HandedOut.IsEmpty())
        GiveBack(*m_HandedOut.TakeFirst(), toPool);
    const uint64_t waitingWorkers = m_Context.Messages.Free(toPool);
    for (size_t i = 0; i < m_Context.Workers.size(); ++i) {
        if (((waitingWorkers >> i) & 1) != 0)
            m_Context.Workers[i]->NotifyMessagesFreed();
    }
    PassRequestsOn();
}

void IOCPServerNet::GiveBack(Message& message, MessageList& toPool) noexcept
{
    Connection& connection = *message.Owner;
    switch (message.Type) {
    case MessageType::OnRecv: {
        // At once for all packets of a client that follow each other: giving back is the dear part.
        uint32_t bytes = message.GiveBack;
        toPool.Append(message);
        while (!m_HandedOut.IsEmpty() && m_HandedOut.First->Type == MessageType::OnRecv &&
               m_HandedOut.First->Owner == &connection) {
            bytes += m_HandedOut.First->GiveBack;
            toPool.Append(*m_HandedOut.TakeFirst());
        }
        connection.Recv.GiveBack(bytes);
        if (connection.RecvPaused.load(std::memory_order_seq_cst) &&
            connection.RecvPaused.exchange(false, std::memory_order_seq_cst))
            Request(connection, Attention::ResumeRecv);
        break;
    }
    case MessageType::Close:
        connection.LogicOpen = false;
        m_Context.OpenForLogic.fetch_sub(1, std::memory_order_acq_rel);
        // From here the slot may get a new client at any moment.
        Request(connection, Attention::CloseTaken);
        break;
    case MessageType::Connection:
    case MessageType::None: break;
    }
}

// After the last thread has ended: what logic did not take, or not give back, returns to the pool.
void IOCPServerNet::DropUndelivered() noexcept
{
    MessageList toPool;
    for (MessageList list : {std::exchange(m_HandedOut, {}), std::exchange(m_Taken, {}), m_Context.Queue.PopAll()}) {
        while (!list.IsEmpty()) {
            Message& message = *list.TakeFirst();
            if (message.Type == MessageType::OnRecv)
                toPool.Append(message);
        }
    }
    (void)m_Context.Messages.Free(toPool);
}

NetLib_Result IOCPServerNet::Submit(std::span<const NetLib_Op> ops, std::span<const std::byte> payload,
                                    std::span<const NetLib_ConnectionId> receivers)
{
    for (const NetLib_Op& op : ops) {
        if (!IsWellFormed(op, payload.size(), receivers.size()))
            return NetLib_Result_InvalidArgument;
    }
    const std::lock_guard lock(m_Context.LogicMutex);
    for (const NetLib_Op& op : ops) {
        switch (op.Type) {
        case NetLib_Op_Send:
            (void)QueueSend(op.ConnectionId, payload.subspan(op.PayloadOffset, op.PayloadSize), {});
            break;
        case NetLib_Op_Broadcast:
            QueueBroadcast(receivers.subspan(op.ReceiverOffset, op.ReceiverCount),
                           payload.subspan(op.PayloadOffset, op.PayloadSize));
            break;
        default: Disconnect(op.ConnectionId); break;
        }
    }
    PassRequestsOn();
    return NetLib_Result_Success;
}

bool IOCPServerNet::IsWellFormed(const NetLib_Op& op, size_t payloadSize, size_t receiverCount) const noexcept
{
    if (op.Type == NetLib_Op_Disconnect)
        return true;
    if (op.Type != NetLib_Op_Send && op.Type != NetLib_Op_Broadcast)
        return false;
    if (op.PayloadSize == 0 || op.PayloadSize > m_Context.Config.ConnectionMaxSendBufferSize ||
        op.PayloadOffset > payloadSize || op.PayloadSize > payloadSize - op.PayloadOffset)
        return false;
    return op.Type == NetLib_Op_Send ||
           (op.ReceiverOffset <= receiverCount && op.ReceiverCount <= receiverCount - op.ReceiverOffset);
}

NetLib_Result IOCPServerNet::SendPacket(NetLib_ConnectionId connectionId, std::span<const std::byte> packet)
{
    if (packet.empty() || packet.size() > m_Context.Config.ConnectionMaxSendBufferSize)
        return NetLib_Result_InvalidArgument;
    const std::lock_guard lock(m_Context.LogicMutex);
    const NetLib_Result result = QueueSend(connectionId, packet, {});
    PassRequestsOn();
    return result;
}

Connection* IOCPServerNet::FindOpen(NetLib_ConnectionId id) noexcept
{
    Connection* const connection = m_Context.Connections.Find(static_cast<uint32_t>(id));
    // LogicOpen first: only while it holds is the generation constant.
    if (connection == nullptr || !connection->LogicOpen || connection->Id() != id)
        return nullptr;
    return connection;
}

void IOCPServerNet::QueueBroadcast(std::span<const NetLib_ConnectionId> receivers,
                                   std::span<const std::byte> packet) noexcept
{
    const SharedPiece shared = CopyToShare(receivers, packet);
    for (const NetLib_ConnectionId id : receivers)
        (void)QueueSend(id, packet, shared);
}

SharedPiece IOCPServerNet::CopyToShare(std::span<const NetLib_ConnectionId> receivers,
                                       std::span<const std::byte> packet) noexcept
{
    if (receivers.size() < 2)
        return {};
    // Members of a room get one broadcast after another: then these lie behind each other, and leave as one piece. Some
    // members get something else between them, which is not known here: so a few are asked.
    constexpr size_t Asked = 4;
    for (const NetLib_ConnectionId id : receivers.first(std::min(receivers.size(), Asked))) {
        const Connection* const connection = FindOpen(id);
        if (connection == nullptr)
            continue;
        if (SharedPiece piece = connection->Send.AppendShared(packet); piece.Block)
            return piece;
    }
    return m_Context.SharedBlocks.Copy(packet);
}

NetLib_Result IOCPServerNet::QueueSend(NetLib_ConnectionId id, std::span<const std::byte> packet,
                                       const SharedPiece& shared) noexcept
{
    Connection* const connection = FindOpen(id);
    if (connection == nullptr || connection->SendClosed.load(std::memory_order_relaxed)) {
        CountDrop(connection == nullptr ? NetLib_SendDrop_NotConnected : NetLib_SendDrop_Broken);
        return NetLib_Result_ReservedSendPacketBufferNotConnected;
    }
    const bool isShared = shared.Block && connection->Send.Share(shared);
    const bool hasMemory = isShared || connection->Send.HasMemory() || LendSendRing(*connection);
    if (isShared || (hasMemory && connection->Send.AddSendData(packet))) {
        m_Context.Logic.PacketsSent.Increment();
        Request(*connection, Attention::Send);
        return NetLib_Result_Success;
    }
    const bool isFull = hasMemory;
    CountDrop(isFull ? NetLib_SendDrop_BufferFull : NetLib_SendDrop_OutOfMemory);
    connection->LogicOpen = false;
    Request(*connection, isFull ? Attention::SendFull : Attention::SendNoMemory);
    return NetLib_Result_ReservedSendPacketBufferEmptyBuffer;
}

bool IOCPServerNet::LendSendRing(Connection& connection) noexcept
{
    auto memory = m_Context.SendBuffers.Take();
    if (memory == nullptr)
        return false;
    // Large buffers all begin at the same offset of a page. Neighbours begin to write a packet's length apart.
    constexpr uint32_t Apart = 320;
    constexpr uint32_t Page = 4096;
    const uint32_t spread = std::min(Page, m_Context.Config.ConnectionMaxSendBufferSize);
    connection.Send.Lend(std::move(memory), connection.Index * Apart % spread);
    return true;
}

void IOCPServerNet::Disconnect(NetLib_ConnectionId id) noexcept
{
    Connection* const connection = FindOpen(id);
    if (connection == nullptr)
        return;
    connection->LogicOpen = false;
    Request(*connection, Attention::Disconnect);
}

// Not passed on at once: so the worker is asked once for all that a batch does to a connection, and what is sent to it
// leaves together.
void IOCPServerNet::Request(Connection& connection, Attention attention) noexcept
{
    if (connection.Requested == 0)
        connection.RequestedNext = std::exchange(m_FirstRequested, &connection);
    connection.Requested |= static_cast<uint32_t>(attention);
}

void IOCPServerNet::PassRequestsOn() noexcept
{
    if (m_FirstRequested == nullptr)
        return;
    uint64_t toWake = 0;
    while (m_FirstRequested != nullptr) {
        Connection& connection = *m_FirstRequested;
        m_FirstRequested = connection.RequestedNext;
        IOWorker& worker = *connection.Worker;
        toWake |= uint64_t{1} << worker.Index();
        connection.Send.Publish();
        // The last word: it may have a new client as soon as the worker knows.
        worker.Request(connection, std::exchange(connection.Requested, 0));
    }
    for (size_t i = 0; i < m_Context.Workers.size(); ++i) {
        if (((toWake >> i) & 1) != 0)
            m_Context.Workers[i]->Wake();
    }
}

} // namespace NetLib
