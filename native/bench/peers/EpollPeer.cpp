// What one thread with epoll can do: a server of packets without anything that a product needs besides. Each turn of
// its loop receives what has come, handles it, and sends what that led to, once for each connection.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "Connection.h"
#include "Framing.h"
#include "MappedArray.h"
#include "PeerMain.h"
#include "PeerSocket.h"
#include "Turn.h"

namespace Peers {

namespace {

template <class Service>
class EpollServer {
public:
    explicit EpollServer(const PeerOptions& options)
        : m_Descriptors(RaiseDescriptorLimit()), m_Connections(m_Descriptors), m_Turn(m_Connections),
          m_Service(MakeService()), m_Signals(StopSignals()), m_Epoll(epoll_create1(EPOLL_CLOEXEC)),
          m_Listener(Listen(options.Port))
    {
        Watch(m_Signals.Get(), EPOLLIN);
        Watch(m_Listener.Get(), EPOLLIN);
    }

    // Until a signal ends it. Throws std::system_error.
    void Run()
    {
        while (Wait()) {
            Flush();
        }
    }

private:
    static constexpr int EventsPerTurn = 512;
    // What one recv takes at most, and how much memory is taken for those of a turn at a time.
    static constexpr std::size_t RecvSize = 64 * 1024;
    static constexpr std::size_t RecvMemory = 4 * RecvSize;

    Service MakeService()
    {
        if constexpr (std::is_constructible_v<Service, Turn&, std::size_t>) {
            return Service(m_Turn, m_Descriptors);
        } else {
            return Service(m_Turn);
        }
    }

    void Watch(int descriptor, std::uint32_t events)
    {
        epoll_event event{};
        event.events = events;
        event.data.fd = descriptor;
        if (epoll_ctl(m_Epoll.Get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
        }
    }

    // Handles what has come. False: the server is to stop.
    bool Wait()
    {
        const int count = epoll_wait(m_Epoll.Get(), m_Events.data(), EventsPerTurn, -1);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = m_Events[static_cast<std::size_t>(i)];
            if (event.data.fd == m_Listener.Get()) {
                Accept();
            } else if (event.data.fd == m_Signals.Get()) {
                return false;
            } else {
                HandleEvents(static_cast<ConnectionIndex>(event.data.fd), event.events);
            }
        }
        return true;
    }

    void Accept()
    {
        for (;;) {
            const int descriptor = accept4(m_Listener.Get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (descriptor < 0) {
                return; // all accepted; any other error is that of one client, or goes away when one leaves
            }
            // Edge-triggered: epoll need not look at each socket again in the next turn.
            Watch(descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        }
    }

    void HandleEvents(ConnectionIndex index, std::uint32_t events)
    {
        Connection& connection = m_Connections[index];
        if ((events & EPOLLOUT) != 0 && connection.Blocked) {
            m_Turn.Unblock(index);
        }
        if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
            // A recv that does not fill its memory has emptied the socket, and new data is a new event. Only for the
            // end of the stream, which has no event of its own behind data, it must be asked again.
            const bool untilEnd = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
            while (!connection.Closing && Receive(index, connection, untilEnd)) {
            }
        }
    }

    // False: there is no more to receive now.
    bool Receive(ConnectionIndex index, Connection& connection, bool untilEnd)
    {
        if (m_RecvMemory.size() < RecvSize) {
            m_RecvMemory = m_Turn.TakeMemory(RecvMemory);
        }
        const ssize_t received = recv(static_cast<int>(index), m_RecvMemory.data(), RecvSize, 0);
        if (received <= 0) {
            if (received == 0 || errno != EAGAIN) {
                m_Turn.Close(index);
            }
            return false;
        }
        const auto size = static_cast<std::size_t>(received);
        const std::span<const std::byte> data = m_RecvMemory.first(size);
        m_RecvMemory = m_RecvMemory.subspan(size);
        if (!FrameStream(m_Service, m_Turn, index, connection, data, Service::MaxPacketSize)) {
            m_Turn.Close(index);
            return false;
        }
        return untilEnd || size == RecvSize;
    }

    // Sends the turn's output, closes what is to be closed, and ends the turn.
    void Flush()
    {
        for (const ConnectionIndex index : m_Turn.Dirty()) {
            Connection& connection = m_Connections[index];
            const ssize_t sent =
                send(static_cast<int>(index), connection.Out, connection.OutSize, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent == static_cast<ssize_t>(connection.OutSize)) [[likely]] {
                continue;
            }
            if (sent >= 0 || errno == EAGAIN) {
                m_Turn.HoldRest(connection, sent < 0 ? 0 : static_cast<std::size_t>(sent));
            } else {
                m_Turn.Close(index);
            }
        }
        // A user's end has no effect on anybody's output, so the list does not grow meanwhile.
        for (const ConnectionIndex index : m_Turn.ToClose()) {
            m_Service.HandleClose(index);
            Connection& connection = m_Connections[index];
            m_Turn.DropOutput(connection);
            m_Turn.Pool().GiveBack(connection.Carry());
            close(static_cast<int>(index));
            connection = {};
        }
        m_Turn.EndTurn();
        m_Service.EndTurn();
        m_RecvMemory = {};
    }

    std::size_t m_Descriptors;
    MappedArray<Connection> m_Connections;
    Turn m_Turn;
    Service m_Service;
    Descriptor m_Signals;
    Descriptor m_Epoll;
    Descriptor m_Listener;
    std::span<std::byte> m_RecvMemory;
    std::array<epoll_event, EventsPerTurn> m_Events{};
};

} // namespace

} // namespace Peers

int main(int argumentCount, char** arguments) { return Peers::PeerMain<Peers::EpollServer>(argumentCount, arguments); }
