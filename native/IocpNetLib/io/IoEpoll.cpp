#include "io/IoEpoll.h"

#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace NetLib {
namespace {

// Completions taken at a time: enough to share the cost of the call, few enough to stay in the cache.
constexpr size_t EventsAtATime = 128;
// Accepts in one turn, so that a flood of connects does not starve the connections that are there.
constexpr int AcceptsAtATime = 64;

// Nearly always: sendmsg would make the system copy and check two descriptions first.
ssize_t SendOne(const IoSocket& socket) noexcept
{
    return ::send(socket.Socket.Get(), socket.SendPieces[0].data(), socket.SendPieces[0].size(), MSG_NOSIGNAL);
}

ssize_t SendTwo(const IoSocket& socket) noexcept
{
    std::array<iovec, 2> pieces{};
    for (size_t i = 0; i < pieces.size(); ++i) {
        // iovec is not const-correct: sendmsg only reads.
        pieces[i].iov_base = const_cast<std::byte*>(socket.SendPieces[i].data());
        pieces[i].iov_len = socket.SendPieces[i].size();
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    return ::sendmsg(socket.Socket.Get(), &message, MSG_NOSIGNAL);
}

} // namespace

std::expected<std::unique_ptr<Io>, std::string> IoEpoll::Create(IoHandler& handler)
{
    UniqueSocket epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.IsOpen())
        return CallFailure("epoll_create1", errno);
    auto wakeEvent = WakeEvent::Create(EFD_NONBLOCK);
    if (!wakeEvent)
        return std::unexpected(wakeEvent.error());
    auto io = std::make_unique<IoEpoll>(handler, std::move(epoll), std::move(*wakeEvent));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET; // edge-triggered: the counter need never be read back
    event.data.ptr = &io->m_WakeEvent;
    if (::epoll_ctl(io->m_Epoll.Get(), EPOLL_CTL_ADD, io->m_WakeEvent.Descriptor(), &event) != 0)
        return CallFailure("epoll_ctl", errno);
    return io;
}

IoEpoll::IoEpoll(IoHandler& handler, UniqueSocket epoll, WakeEvent wakeEvent) noexcept
    : m_Handler(handler), m_Epoll(std::move(epoll)), m_WakeEvent(std::move(wakeEvent))
{
}

std::expected<void, std::string> IoEpoll::Listen(UniqueSocket listenSocket)
{
    m_ListenSocket = std::move(listenSocket);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &m_ListenSocket;
    if (::epoll_ctl(m_Epoll.Get(), EPOLL_CTL_ADD, m_ListenSocket.Get(), &event) != 0)
        return CallFailure("epoll_ctl", errno);
    return {};
}

void IoEpoll::ResumeAccept() noexcept
{
    if (!m_ListenSocket.IsOpen())
        return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &m_ListenSocket;
    (void)::epoll_ctl(m_Epoll.Get(), EPOLL_CTL_MOD, m_ListenSocket.Get(), &event);
}

void IoEpoll::StopListening() noexcept { m_ListenSocket.Close(); }

bool IoEpoll::Attach(IoSocket& socket, UniqueSocket native) noexcept
{
    socket.Socket = std::move(native);
    socket.RecvPending = socket.SendPending = socket.Readable = socket.ShortIsNotEmpty = false;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
    event.data.ptr = &socket;
    return ::epoll_ctl(m_Epoll.Get(), EPOLL_CTL_ADD, socket.Socket.Get(), &event) == 0;
}

IoOutcome IoEpoll::Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept
{
    socket.RecvBuffer = buffer;
    // Not readable: spare the system call, the edge will come.
    const IoOutcome outcome = socket.Readable ? TryRecv(socket) : IoOutcome::Pending();
    socket.RecvPending = outcome.Result == IoOutcome::Status::Pending;
    return outcome;
}

IoOutcome IoEpoll::TryRecv(IoSocket& socket) noexcept
{
    if (socket.RecvBuffer.empty())
        return IoOutcome::Done(0);
    for (;;) {
        const ssize_t received = ::recv(socket.Socket.Get(), socket.RecvBuffer.data(), socket.RecvBuffer.size(), 0);
        if (received >= 0) {
            // A short receive has emptied the socket, and the next byte makes a new edge: no call to find EAGAIN.
            if (static_cast<size_t>(received) < socket.RecvBuffer.size() && !socket.ShortIsNotEmpty)
                socket.Readable = false;
            return IoOutcome::Done(static_cast<uint32_t>(received));
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            socket.Readable = false;
            return IoOutcome::Pending();
        }
        return IoOutcome::Failed(errno);
    }
}

IoOutcome IoEpoll::Send(IoSocket& socket, std::span<const std::byte> first, std::span<const std::byte> second,
                        bool) noexcept
{
    socket.SendPieces[0] = first;
    socket.SendPieces[1] = second;
    const IoOutcome outcome = TrySend(socket);
    socket.SendPending = outcome.Result == IoOutcome::Status::Pending;
    return outcome;
}

IoOutcome IoEpoll::TrySend(const IoSocket& socket) noexcept
{
    for (;;) {
        const ssize_t sent = socket.SendPieces[1].empty() ? SendOne(socket) : SendTwo(socket);
        if (sent >= 0)
            return IoOutcome::Done(static_cast<uint32_t>(sent));
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return IoOutcome::Pending();
        return IoOutcome::Failed(errno);
    }
}

void IoEpoll::Close(IoSocket& socket, bool abort) noexcept
{
    if (abort)
        socket.Socket.AbortOnClose();
    socket.Socket.Close(); // leaves the epoll set by itself
    m_Closed.Add(socket);
}

void IoEpoll::Wait(int milliseconds)
{
    if (!m_Closed.IsEmpty()) {
        m_Closed.Report(m_Handler);
        milliseconds = 0;
    }
    std::array<epoll_event, EventsAtATime> events;
    const int count = ::epoll_wait(m_Epoll.Get(), events.data(), static_cast<int>(events.size()), milliseconds);
    m_Handler.OnWoken();
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if (event.data.ptr == &m_WakeEvent)
            continue;
        if (event.data.ptr == &m_ListenSocket) {
            AcceptAll();
            continue;
        }
        // An earlier event of this batch may have closed the socket. Its place is not used again within a turn.
        Dispatch(*static_cast<IoSocket*>(event.data.ptr), event.events);
    }
}

void IoEpoll::Dispatch(IoSocket& socket, uint32_t events)
{
    if (!socket.Socket.IsOpen())
        return; // closed by an earlier event of this batch
    // A receive stops in front of urgent data, with more behind it (tcp(7)).
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0)
        socket.ShortIsNotEmpty = true;
    if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        socket.Readable = true;
        if (socket.RecvPending) {
            const IoOutcome outcome = TryRecv(socket);
            if (outcome.Result != IoOutcome::Status::Pending) {
                socket.RecvPending = false;
                m_Handler.OnRecvDone(socket, outcome);
            }
        }
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && socket.SendPending) {
        const IoOutcome outcome = TrySend(socket);
        if (outcome.Result != IoOutcome::Status::Pending) {
            socket.SendPending = false;
            m_Handler.OnSendDone(socket, outcome);
        }
    }
}

void IoEpoll::AcceptAll()
{
    for (int i = 0; i < AcceptsAtATime && m_ListenSocket.IsOpen(); ++i) {
        sockaddr_storage peer{};
        socklen_t length = sizeof(peer);
        UniqueSocket socket(
            ::accept4(m_ListenSocket.Get(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket.IsOpen()) {
            m_Handler.OnAccepted(std::move(socket), SocketAddress(reinterpret_cast<const sockaddr*>(&peer), length));
            continue;
        }
        const int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return;
        if (IsOutOfResources(error)) {
            // The listen socket stays readable: without this the thread would spin.
            epoll_event none{};
            none.data.ptr = &m_ListenSocket;
            (void)::epoll_ctl(m_Epoll.Get(), EPOLL_CTL_MOD, m_ListenSocket.Get(), &none);
            m_Handler.OnAcceptPaused(error);
            return;
        }
        if (error != EINTR)
            m_Handler.OnAcceptFailed(error);
    }
}

} // namespace NetLib
