#include "io/IoUring.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <utility>

#include "io/UringProbe.h"

namespace NetLib {
namespace {

// Entries of the submission ring: the sends of a broadcast to a thousand connections in one call.
constexpr uint32_t QueueEntries = 1024;
// Completions worked on before the worker gets its turn.
constexpr uint32_t CompletionsAtATime = 1024;

// Where the kernel reads the events of all wakes to. Nobody looks, and it may do so after the end of a ring.
uint64_t unreadWakeCount = 0;

// The peer of an accepted socket. A multishot accept has no place for addresses, and one that has broken off since has
// none any more; what it sent counts nevertheless.
SocketAddress PeerOf(const UniqueSocket& socket) noexcept
{
    sockaddr_storage peer{};
    socklen_t length = sizeof(peer);
    if (::getpeername(socket.Get(), reinterpret_cast<sockaddr*>(&peer), &length) != 0)
        return {};
    return {reinterpret_cast<const sockaddr*>(&peer), length};
}

} // namespace

IoUring::IoUring(IoHandler& handler, UringQueue queue, UringBuffers buffers, WakeEvent wakeEvent) noexcept
    : m_Handler(handler), m_WakeEvent(std::move(wakeEvent)), m_Buffers(std::move(buffers)), m_Queue(std::move(queue))
{
}

std::expected<std::unique_ptr<Io>, std::string> IoUring::Create(IoHandler& handler)
{
    // On a thread of its own: when a ring ends, the kernel interrupts (EINTR) some later call of each thread that has
    // used it. Whoever starts a server shall not be one of them.
    std::expected<std::unique_ptr<Io>, std::string> io;
    std::exception_ptr outOfMemory;
    try {
        std::thread([&] {
            try {
                io = CreateHere(handler);
            } catch (const std::bad_alloc&) {
                outOfMemory = std::current_exception();
            }
        }).join();
    } catch (const std::system_error& error) {
        return std::unexpected(std::string("a thread to begin with: ") + error.what());
    }
    if (outOfMemory != nullptr)
        std::rethrow_exception(outOfMemory);
    return io;
}

std::expected<std::unique_ptr<Io>, std::string> IoUring::CreateHere(IoHandler& handler)
{
    static std::atomic<bool> isFine{false}; // this kernel; what went wrong once may be well the next time
    if (!isFine.load(std::memory_order_relaxed)) {
        if (std::string problem = FindUringProblem(); !problem.empty())
            return std::unexpected(std::move(problem));
        isFine.store(true, std::memory_order_relaxed);
    }
    auto queue = UringQueue::Create(QueueEntries);
    if (!queue)
        return std::unexpected(queue.error());
    auto buffers = UringBuffers::Create(*queue);
    if (!buffers)
        return std::unexpected(buffers.error());
    auto wakeEvent = WakeEvent::Create(0); // blocking: io_uring waits by itself
    if (!wakeEvent)
        return std::unexpected(wakeEvent.error());
    return std::make_unique<IoUring>(handler, std::move(*queue), std::move(*buffers), std::move(*wakeEvent));
}

std::expected<void, std::string> IoUring::Listen(UniqueSocket listenSocket)
{
    m_ListenSocket = std::move(listenSocket);
    ArmAccept();
    if (!m_AcceptArmed)
        return std::unexpected("io_uring takes no entries");
    return {};
}

io_uring_sqe* IoUring::NewEntry(uint8_t opcode, int descriptor, Kind kind, const void* owner) noexcept
{
    io_uring_sqe* const entry = m_Queue.Next();
    if (entry == nullptr)
        return nullptr;
    entry->opcode = opcode;
    entry->fd = descriptor;
    entry->user_data = reinterpret_cast<uintptr_t>(owner) | static_cast<uint64_t>(kind);
    return entry;
}

bool IoUring::ArmWake() noexcept
{
    io_uring_sqe* const entry = NewEntry(IORING_OP_READ, m_WakeEvent.Descriptor(), Kind::Wake, this);
    if (entry == nullptr)
        return false;
    entry->addr = reinterpret_cast<uintptr_t>(&unreadWakeCount);
    entry->len = sizeof(unreadWakeCount);
    m_WakeArmed = true;
    return true;
}

void IoUring::ArmAccept() noexcept
{
    if (m_AcceptArmed || !m_ListenSocket.IsOpen())
        return;
    io_uring_sqe* const entry = NewEntry(IORING_OP_ACCEPT, m_ListenSocket.Get(), Kind::Accept, this);
    if (entry == nullptr)
        return; // Wait tries again
    entry->ioprio = IORING_ACCEPT_MULTISHOT;
    entry->accept_flags = SOCK_CLOEXEC; // blocking, as far as io_uring is concerned: it waits by itself
    m_AcceptArmed = true;
}

void IoUring::ResumeAccept() noexcept
{
    m_AcceptPaused = false;
    ArmAccept();
}

void IoUring::StopListening() noexcept
{
    if (!m_ListenSocket.IsOpen())
        return;
    // The accept that is armed holds the socket open until it is cancelled: from here nobody may come in.
    (void)::shutdown(m_ListenSocket.Get(), SHUT_RD);
    if (!m_AcceptArmed)
        return m_ListenSocket.Close();
    CancelAccept();
    // An accept that is not submitted yet names the descriptor.
    m_ClosingListener = std::move(m_ListenSocket);
}

bool IoUring::Attach(IoSocket& socket, UniqueSocket native) noexcept
{
    socket.Socket = std::move(native);
    socket.RecvPending = socket.SendPending = socket.CancelPending = socket.RecvEnded = false;
    socket.SendIsImmediate = socket.IsClosing = false;
    socket.RecvError = 0;
    return true;
}

// An operation that begins when the socket is ready, and never waits by itself: the kernel would wait for urgent data as
// well then, find nothing to receive, try again at once for as long as the urgent byte is there, and after 128 tries
// (APOLL_MAX_RETRY in io_uring/poll.c) give the operation to a thread that blocks in it, with one of the buffers of all.
// The two make one completion: the operation's, or the poll's if that is cancelled. Null as with NewEntry.
io_uring_sqe* IoUring::NewEntryWhenReady(uint8_t opcode, uint32_t events, Kind kind, IoSocket& socket) noexcept
{
    if (!m_Queue.Reserve(2))
        return nullptr;
    io_uring_sqe* const poll = NewEntry(IORING_OP_POLL_ADD, socket.Socket.Get(), kind, &socket);
    poll->poll32_events = events;
    poll->flags = IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe* const entry = NewEntry(opcode, socket.Socket.Get(), kind, &socket);
    entry->msg_flags = MSG_DONTWAIT;
    return entry;
}

bool IoUring::ArmRecv(IoSocket& socket) noexcept
{
    io_uring_sqe* const entry = NewEntryWhenReady(IORING_OP_RECV, POLLIN | POLLRDHUP, Kind::Recv, socket);
    if (entry == nullptr)
        return false;
    entry->flags = IOSQE_BUFFER_SELECT; // of group 0
    ++socket.InKernel;
    return true;
}

IoOutcome IoUring::Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept
{
    const bool isHere = m_ArrivedFor == &socket && !m_Arrived.empty();
    if (isHere || socket.StashBegin != socket.StashEnd) {
        // What is in the stash came earlier.
        const bool fromStash = socket.StashBegin != socket.StashEnd;
        const std::span<const std::byte> source =
            fromStash ? std::span<const std::byte>(socket.Stash.get() + socket.StashBegin,
                                                   socket.StashEnd - socket.StashBegin)
                      : m_Arrived;
        const size_t size = std::min(source.size(), buffer.size());
        std::copy_n(source.begin(), size, buffer.begin());
        if (fromStash) {
            socket.StashBegin += static_cast<uint32_t>(size);
            if (socket.StashBegin == socket.StashEnd) {
                socket.Stash.reset();
                socket.StashBegin = socket.StashEnd = 0;
            }
        } else {
            m_Arrived = m_Arrived.subspan(size);
        }
        return IoOutcome::Done(static_cast<uint32_t>(size));
    }
    if (socket.RecvError != 0)
        return IoOutcome::Failed(socket.RecvError);
    if (socket.RecvEnded)
        return IoOutcome::Done(0);
    if (!ArmRecv(socket))
        return IoOutcome::Failed(ENOMEM);
    socket.RecvBuffer = buffer;
    socket.RecvPending = true;
    return IoOutcome::Pending();
}

IoOutcome IoUring::Send(IoSocket& socket, std::span<const std::byte> first, std::span<const std::byte> second,
                        bool mayReportLate) noexcept
{
    // A second piece is rare (behind the ring's end, or behind a shared block), and goes with the next send.
    socket.SendPieces[0] = first;
    if (!QueueSend(socket, true))
        return IoOutcome::Failed(ENOMEM);
    socket.SendPending = true;
    if (!mayReportLate || !second.empty())
        m_MayWait = false;
    return IoOutcome::Pending();
}

bool IoUring::QueueSend(IoSocket& socket, bool isImmediate) noexcept
{
    io_uring_sqe* const entry = isImmediate ? NewEntry(IORING_OP_SEND, socket.Socket.Get(), Kind::Send, &socket)
                                            : NewEntryWhenReady(IORING_OP_SEND, POLLOUT, Kind::Send, socket);
    if (entry == nullptr)
        return false;
    entry->addr = reinterpret_cast<uintptr_t>(socket.SendPieces[0].data());
    entry->len = static_cast<uint32_t>(socket.SendPieces[0].size());
    entry->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    socket.SendIsImmediate = isImmediate;
    ++socket.InKernel;
    if (isImmediate) {
        // All of it: so success means that all was taken, and needs no completion. Otherwise one tells how much, or
        // EAGAIN.
        entry->msg_flags |= MSG_WAITALL;
        entry->flags = IOSQE_CQE_SKIP_SUCCESS;
        socket.SendEntry = m_Queue.Filled();
        ListSend(socket);
    }
    return true;
}

void IoUring::CancelAccept() noexcept
{
    if (io_uring_sqe* const entry = NewEntry(IORING_OP_ASYNC_CANCEL, -1, Kind::CancelAccept, this))
        entry->addr = reinterpret_cast<uintptr_t>(this) | static_cast<uint64_t>(Kind::Accept);
}

// All that is pending for a socket that closes.
void IoUring::Cancel(IoSocket& socket) noexcept
{
    if (socket.CancelPending || socket.InKernel == 0)
        return;
    io_uring_sqe* const entry = NewEntry(IORING_OP_ASYNC_CANCEL, socket.ClosingSocket.Get(), Kind::Cancel, &socket);
    if (entry == nullptr) {
        // The kernel has no memory for the time being. What is pending ends by itself without its connection.
        (void)::shutdown(socket.ClosingSocket.Get(), SHUT_RDWR);
        return;
    }
    entry->cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
    socket.CancelPending = true;
    ++socket.InKernel;
}

// What was cancelled tells for itself. But the kernel does not find what it is about to do at this moment.
void IoUring::CancelDone(IoSocket& socket)
{
    socket.CancelPending = false;
    --socket.InKernel;
    Cancel(socket);
    FinishIfClosed(socket);
}

void IoUring::Close(IoSocket& socket, bool abort) noexcept
{
    if (abort)
        socket.Socket.AbortOnClose();
    // An entry that is not submitted yet names the descriptor: it must not become another connection's before that.
    socket.ClosingSocket = std::move(socket.Socket);
    socket.IsClosing = true;
    Cancel(socket);
    m_MayWait = false;
    FinishIfClosed(socket);
}

void IoUring::FinishIfClosed(IoSocket& socket)
{
    if (!socket.IsClosing || socket.InKernel != 0 || socket.IsInSends)
        return;
    socket.IsClosing = false;
    socket.ClosingSocket.Close();
    socket.Stash.reset();
    socket.StashBegin = socket.StashEnd = 0;
    m_Closed.Add(socket);
}

bool IoUring::IsIdle() const noexcept { return !m_AcceptArmed && m_Closed.IsEmpty(); }

void IoUring::Wait(int milliseconds)
{
    if (!m_WakeArmed)
        (void)ArmWake();
    if (!m_AcceptPaused)
        ArmAccept();
    if (!m_Closed.IsEmpty() || !m_MayWait)
        milliseconds = 0;
    m_MayWait = true;
    m_Queue.Enter(milliseconds);
    m_Handler.OnWoken();
    m_Closed.Report(m_Handler);
    // What comes while these are worked on is for the next wait.
    const uint32_t taken = m_Queue.Taken();
    const uint32_t ready = m_Queue.Completions();
    for (uint32_t i = 0; i < std::min(ready, CompletionsAtATime); ++i) {
        if (const auto completion = m_Queue.Pop())
            Dispatch(*completion);
    }
    // Behind the completions, which tell of those that were not taken whole; and before logic hears of what clients
    // said to them.
    if (ready <= CompletionsAtATime)
        ReportImmediateSends(taken);
}

void IoUring::Dispatch(const UringCompletion& completion)
{
    const auto owner = static_cast<uintptr_t>(completion.UserData & ~KindMask);
    const auto kind = static_cast<Kind>(completion.UserData & KindMask);
    switch (kind) {
    case Kind::Accept: AcceptDone(completion.Result, (completion.Flags & IORING_CQE_F_MORE) != 0); break;
    case Kind::Recv: RecvDone(*reinterpret_cast<IoSocket*>(owner), completion); break;
    case Kind::Send: SendDone(*reinterpret_cast<IoSocket*>(owner), completion.Result); break;
    case Kind::Cancel: CancelDone(*reinterpret_cast<IoSocket*>(owner)); break;
    case Kind::CancelAccept:
        if (m_AcceptArmed)
            CancelAccept();
        break;
    case Kind::Wake: m_WakeArmed = false; break;
    }
}

void IoUring::AcceptDone(int result, bool hasMore)
{
    if (!hasMore) {
        m_AcceptArmed = false;
        m_ClosingListener.Close();
    }
    if (result >= 0) {
        UniqueSocket socket(result);
        const SocketAddress peer = PeerOf(socket);
        m_Handler.OnAccepted(std::move(socket), peer);
    } else if (m_ListenSocket.IsOpen()) {
        if (IsOutOfResources(-result)) {
            m_AcceptPaused = true;
            m_Handler.OnAcceptPaused(-result);
        } else {
            m_Handler.OnAcceptFailed(-result);
        }
    }
}

void IoUring::RecvDone(IoSocket& socket, const UringCompletion& completion)
{
    --socket.InKernel;
    if (!socket.IsClosing) {
        if (completion.Result > 0) {
            Arrived(socket, m_Buffers.Received(completion));
        } else if (completion.Result == -ECANCELED || completion.Result == -ENOBUFS || completion.Result == -EAGAIN) {
            // It ended by itself: no buffer was free, say, or the socket was not ready after all.
            if (!ArmRecv(socket))
                FailRecv(socket, ENOMEM);
        } else if (completion.Result == 0) {
            socket.RecvEnded = true; // if the outcome is that there is something to receive, it is this
            socket.RecvPending = false;
            m_Handler.OnRecvDone(socket, IoOutcome::Done(0));
        } else {
            FailRecv(socket, -completion.Result);
        }
    }
    if ((completion.Flags & IORING_CQE_F_BUFFER) != 0)
        m_Buffers.Recycle(completion);
    FinishIfClosed(socket);
}

void IoUring::FailRecv(IoSocket& socket, int error)
{
    socket.RecvPending = false;
    m_Handler.OnRecvDone(socket, IoOutcome::Failed(error));
}

// For a receive that is pending, so the stash is empty.
void IoUring::Arrived(IoSocket& socket, std::span<const std::byte> data)
{
    socket.RecvPending = false;
    m_ArrivedFor = &socket;
    m_Arrived = data;
    const IoOutcome outcome = socket.RecvBuffer.empty() ? IoOutcome::Done(0) : Recv(socket, socket.RecvBuffer);
    m_Handler.OnRecvDone(socket, outcome);
    data = std::exchange(m_Arrived, {});
    m_ArrivedFor = nullptr;
    if (data.empty() || !socket.Socket.IsOpen())
        return;
    socket.Stash.reset(new (std::nothrow) std::byte[data.size()]);
    if (socket.Stash == nullptr) {
        socket.RecvError = ENOMEM;
        return;
    }
    std::ranges::copy(data, socket.Stash.get());
    socket.StashEnd = static_cast<uint32_t>(data.size());
}

void IoUring::SendDone(IoSocket& socket, int result)
{
    --socket.InKernel;
    socket.SendIsImmediate = false;
    if (!socket.IsClosing || result >= 0) {
        // The peer's window is full: from here the kernel waits. It gives up if the thread ends that began to.
        if (result == -EAGAIN || result == -EINTR || (result == -ECANCELED && !socket.IsClosing)) {
            if (QueueSend(socket, false))
                return;
            result = -ENOMEM;
        }
        socket.SendPending = false;
        m_Handler.OnSendDone(socket,
                             result >= 0 ? IoOutcome::Done(static_cast<uint32_t>(result)) : IoOutcome::Failed(-result));
    }
    FinishIfClosed(socket);
}

// taken: as far as the kernel had taken entries when the completions were counted that have been worked on.
void IoUring::ReportImmediateSends(uint32_t taken)
{
    // Handlers may start other sends, which go to the new list; so do those that are not taken yet, because the kernel
    // had no memory.
    for (IoSocket* socket = std::exchange(m_FirstSend, nullptr); socket != nullptr;) {
        IoSocket* const next = std::exchange(socket->NextSend, nullptr);
        socket->IsInSends = false;
        if (socket->SendIsImmediate && static_cast<int32_t>(socket->SendEntry - taken) > 0) {
            ListSend(*socket);
            m_MayWait = false;
        } else if (std::exchange(socket->SendIsImmediate, false)) { // no completion has told
            --socket->InKernel;
            socket->SendPending = false;
            m_Handler.OnSendDone(*socket, IoOutcome::Done(static_cast<uint32_t>(socket->SendPieces[0].size())));
        }
        FinishIfClosed(*socket);
        socket = next;
    }
}

void IoUring::ListSend(IoSocket& socket) noexcept
{
    if (!std::exchange(socket.IsInSends, true))
        socket.NextSend = std::exchange(m_FirstSend, &socket);
}

} // namespace NetLib
