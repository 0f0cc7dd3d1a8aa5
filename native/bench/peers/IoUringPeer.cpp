// What one thread with io_uring can do. It differs from the epoll peer in that nothing is a system call of its own: one
// io_uring_enter submits the sends of a turn and brings what has been received meanwhile.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "Connection.h"
#include "Framing.h"
#include "IoUring.h"
#include "MappedArray.h"
#include "PeerMain.h"
#include "PeerSocket.h"
#include "Turn.h"

namespace Peers {

namespace {

// What a completion is of: the low byte of its user data, over which the connection's index stands.
enum class Operation : std::uint8_t { Accept, Signal, Recv, Send, Poll, Other };

std::uint64_t UserData(Operation operation, ConnectionIndex index = 0) noexcept
{
    return static_cast<std::uint64_t>(index) << 8 | static_cast<std::uint8_t>(operation);
}

template <class Service>
class IoUringServer {
public:
    explicit IoUringServer(const PeerOptions& options)
        : m_Descriptors(RaiseDescriptorLimit()), m_Connections(m_Descriptors), m_Turn(m_Connections),
          m_Service(MakeService()), m_Ring(Submissions, Completions), m_Buffers(m_Ring, BufferCount, BufferSize),
          m_Signals(StopSignals()), m_Listener(Listen(options.Port))
    {
        m_UsedBuffers.reserve(BufferCount);
        io_uring_sqe& entry = m_Ring.Entry(IORING_OP_POLL_ADD, UserData(Operation::Signal));
        entry.fd = m_Signals.Get();
        entry.poll32_events = POLLIN;
        ArmAccept();
    }

    // Until a signal ends it. Throws std::system_error.
    void Run()
    {
        while (!m_Stop) {
            m_Ring.Enter(true);
            EndTurn();
            HandleCompletions();
            QueueSends();
            QueueCloses();
        }
    }

private:
    // A turn may be larger than the submission ring: then it takes more than one system call, and stays in the cache.
    static constexpr unsigned Submissions = 512;
    static constexpr unsigned Completions = 8192;
    static constexpr unsigned BufferCount = 1024;
    static constexpr unsigned BufferSize = 2048;

    Service MakeService()
    {
        if constexpr (std::is_constructible_v<Service, Turn&, std::size_t>) {
            return Service(m_Turn, m_Descriptors);
        } else {
            return Service(m_Turn);
        }
    }

    void ArmAccept()
    {
        io_uring_sqe& entry = m_Ring.Entry(IORING_OP_ACCEPT, UserData(Operation::Accept));
        entry.fd = m_Listener.Get();
        entry.ioprio = IORING_ACCEPT_MULTISHOT;
        entry.accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
        m_AcceptArmed = true;
    }

    void ArmRecv(ConnectionIndex index)
    {
        io_uring_sqe& entry = m_Ring.Entry(IORING_OP_RECV, UserData(Operation::Recv, index));
        entry.fd = static_cast<int>(index);
        entry.flags = IOSQE_BUFFER_SELECT;
        entry.ioprio = IORING_RECV_MULTISHOT | IORING_RECVSEND_POLL_FIRST;
        m_Connections[index].RecvArmed = true;
    }

    void HandleCompletions()
    {
        unsigned head = m_Ring.Head();
        for (const unsigned tail = m_Ring.Tail(); head != tail; ++head) {
            const io_uring_cqe& completion = m_Ring.Completion(head);
            const auto index = static_cast<ConnectionIndex>(completion.user_data >> 8);
            switch (static_cast<Operation>(completion.user_data & 0xFF)) {
            case Operation::Recv: HandleRecv(index, completion); break;
            case Operation::Accept: HandleAccept(completion); break;
            case Operation::Poll: HandlePoll(index); break;
            case Operation::Signal: m_Stop = true; break;
            case Operation::Send: // EndTurn has seen it
            case Operation::Other: break;
            }
        }
        m_Ring.SetHead(head);
        m_Seen = head;
    }

    void HandleAccept(const io_uring_cqe& completion)
    {
        if (completion.res >= 0) {
            ArmRecv(static_cast<ConnectionIndex>(completion.res));
        }
        if ((completion.flags & IORING_CQE_F_MORE) == 0) {
            m_AcceptArmed = false;
            if (completion.res != -EMFILE && completion.res != -ENFILE) { // then there is a place when one closes
                ArmAccept();
            }
        }
    }

    void HandleRecv(ConnectionIndex index, const io_uring_cqe& completion)
    {
        Connection& connection = m_Connections[index];
        const bool hasBuffer = (completion.flags & IORING_CQE_F_BUFFER) != 0;
        const auto buffer = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
        if (hasBuffer) {
            m_UsedBuffers.push_back(buffer);
        }
        if ((completion.flags & IORING_CQE_F_MORE) == 0) [[unlikely]] {
            connection.RecvArmed = false;
        }
        if (connection.Closing) {
            CloseWhenIdle(index);
            return;
        }
        if (completion.res <= 0 && completion.res != -ENOBUFS) {
            m_Turn.Close(index);
            return;
        }
        if (completion.res > 0 &&
            !FrameStream(m_Service, m_Turn, index, connection,
                         m_Buffers.Data(buffer, static_cast<std::size_t>(completion.res)), Service::MaxPacketSize)) {
            m_Turn.Close(index);
            return;
        }
        if (!connection.RecvArmed) [[unlikely]] {
            ArmRecv(index);
        }
    }

    void HandlePoll(ConnectionIndex index)
    {
        m_Connections[index].PollArmed = false;
        if (m_Connections[index].Closing) {
            CloseWhenIdle(index);
        } else {
            m_Turn.Unblock(index);
        }
    }

    void QueueSends()
    {
        for (const ConnectionIndex index : m_Turn.Dirty()) {
            const Connection& connection = m_Connections[index];
            // Such a send is done with its memory when it is submitted: it takes all, or it completes as failed, with
            // the number of bytes taken. Only then is there a completion.
            io_uring_sqe& entry = m_Ring.Entry(IORING_OP_SEND, UserData(Operation::Send, index));
            entry.fd = static_cast<int>(index);
            entry.flags = IOSQE_CQE_SKIP_SUCCESS;
            entry.addr = reinterpret_cast<std::uint64_t>(connection.Out);
            entry.len = connection.OutSize;
            entry.msg_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
        }
    }

    // After the turn's sends were submitted: keeps what the failed ones left, and releases the turn's memory.
    void EndTurn()
    {
        const unsigned tail = m_Ring.Tail();
        for (; m_Seen != tail; ++m_Seen) {
            const io_uring_cqe& completion = m_Ring.Completion(m_Seen);
            if (static_cast<Operation>(completion.user_data & 0xFF) == Operation::Send) [[unlikely]] {
                HandleUnsent(static_cast<ConnectionIndex>(completion.user_data >> 8), completion.res);
            }
        }
        m_Turn.EndTurn();
        m_Service.EndTurn();
        for (const std::uint16_t buffer : m_UsedBuffers) {
            m_Buffers.GiveBack(buffer);
        }
        m_Buffers.Publish();
        m_UsedBuffers.clear();
    }

    void HandleUnsent(ConnectionIndex index, int result)
    {
        Connection& connection = m_Connections[index];
        if (connection.OutSize == 0) {
            return; // closed meanwhile
        }
        if (result < 0 && result != -EAGAIN) {
            return; // the connection has failed, which its receive tells, too
        }
        m_Turn.HoldRest(connection, result < 0 ? 0 : static_cast<std::size_t>(result));
        io_uring_sqe& entry = m_Ring.Entry(IORING_OP_POLL_ADD, UserData(Operation::Poll, index));
        entry.fd = static_cast<int>(index);
        entry.poll32_events = POLLOUT;
        connection.PollArmed = true;
    }

    // The turn's sends are queued, so what is closed now gets them before.
    void QueueCloses()
    {
        for (const ConnectionIndex index : m_Turn.ToClose()) {
            Connection& connection = m_Connections[index];
            m_Service.HandleClose(index);
            m_Turn.KeepUntilEnd(connection.Held());
            connection.SetHeld({});
            connection.OutSize = 0;
            m_Turn.KeepUntilEnd(connection.Carry());
            connection.SetCarry({});
            connection.Released = true;
            if (connection.RecvArmed) {
                Cancel(UserData(Operation::Recv, index));
            }
            if (connection.PollArmed) {
                Cancel(UserData(Operation::Poll, index));
            }
            CloseWhenIdle(index);
        }
    }

    void Cancel(std::uint64_t userData)
    {
        io_uring_sqe& entry = m_Ring.Entry(IORING_OP_ASYNC_CANCEL, UserData(Operation::Other));
        entry.addr = userData;
    }

    // Frees the place of a released connection once the kernel has no operation of it any more: no completion of a former connection
    // may come for the next one.
    void CloseWhenIdle(ConnectionIndex index)
    {
        Connection& connection = m_Connections[index];
        if (!connection.Released || connection.RecvArmed || connection.PollArmed) {
            return;
        }
        connection = {};
        io_uring_sqe& entry = m_Ring.Entry(IORING_OP_CLOSE, UserData(Operation::Other));
        entry.fd = static_cast<int>(index);
        if (!m_AcceptArmed) {
            ArmAccept();
        }
    }

    std::size_t m_Descriptors;
    MappedArray<Connection> m_Connections;
    Turn m_Turn;
    Service m_Service;
    IoUring m_Ring;
    ProvidedBuffers m_Buffers;
    Descriptor m_Signals;
    Descriptor m_Listener;
    std::vector<std::uint16_t> m_UsedBuffers; // that the turn's output may lie in
    unsigned m_Seen = 0;                      // the completion before which EndTurn has seen all
    bool m_AcceptArmed = false;
    bool m_Stop = false;
};

} // namespace

} // namespace Peers

int main(int argumentCount, char** arguments)
{
    return Peers::PeerMain<Peers::IoUringServer>(argumentCount, arguments);
}
