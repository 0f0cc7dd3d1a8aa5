#include "io/UringProbe.h"

#include <array>
#include <cerrno>
#include <expected>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <vector>

#include "io/Socket.h"
#include "io/UringQueue.h"

namespace NetLib {
namespace {

constexpr uint64_t RecvTag = 1;
constexpr uint64_t SendTag = 2;
// Much more than a socket pair takes at once when it is asked to take little.
constexpr int SendBuffer = 4096;
constexpr size_t TooMuch = 1 << 20;
// Waiting for what has happened already is over at once; this bounds a kernel that never reports it.
constexpr int PatienceMilliseconds = 1000;

using SocketPair = std::array<UniqueSocket, 2>;

std::optional<SocketPair> MakePair()
{
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
        return std::nullopt;
    return SocketPair{UniqueSocket(pair[0]), UniqueSocket(pair[1])};
}

std::optional<UringCompletion> Next(UringQueue& queue, int milliseconds)
{
    queue.Enter(milliseconds);
    return queue.Pop();
}

// Behind a poll, and the two of them with one completion.
bool ReceivesIntoBuffers(UringQueue& queue, UringBuffers& buffers, const SocketPair& pair)
{
    for (const char letter : {'a', 'b'}) {
        io_uring_sqe* const poll = queue.Next();
        poll->opcode = IORING_OP_POLL_ADD;
        poll->fd = pair[0].Get();
        poll->poll32_events = POLLIN | POLLRDHUP;
        poll->flags = IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
        poll->user_data = RecvTag;
        io_uring_sqe* const entry = queue.Next();
        entry->opcode = IORING_OP_RECV;
        entry->fd = pair[0].Get();
        entry->msg_flags = MSG_DONTWAIT;
        entry->flags = IOSQE_BUFFER_SELECT;
        entry->user_data = RecvTag;
        if (Next(queue, 0)) // nothing is there yet
            return false;
        if (::send(pair[1].Get(), &letter, 1, MSG_NOSIGNAL) != 1)
            return false;
        const auto completion = Next(queue, PatienceMilliseconds);
        if (!completion || completion->UserData != RecvTag || completion->Result != 1 ||
            (completion->Flags & IORING_CQE_F_BUFFER) == 0 ||
            buffers.Received(*completion).front() != static_cast<std::byte>(letter))
            return false;
        buffers.Recycle(*completion);
    }
    return !Next(queue, 0);
}

void QueueImmediateSend(UringQueue& queue, const UniqueSocket& socket, std::span<const std::byte> data)
{
    io_uring_sqe* const entry = queue.Next();
    entry->opcode = IORING_OP_SEND;
    entry->fd = socket.Get();
    entry->addr = reinterpret_cast<uintptr_t>(data.data());
    entry->len = static_cast<uint32_t>(data.size());
    entry->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
    entry->flags = IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = SendTag;
}

// A send that is taken whole is not reported, one that is taken in part tells how much, one that is not says so.
bool ReportsWhatIsNotTaken(UringQueue& queue, const SocketPair& pair)
{
    if (::setsockopt(pair[0].Get(), SOL_SOCKET, SO_SNDBUF, &SendBuffer, sizeof(SendBuffer)) != 0)
        return false;
    const std::vector<std::byte> data(TooMuch);
    QueueImmediateSend(queue, pair[0], std::span(data).first(1));
    if (Next(queue, 0))
        return false;
    QueueImmediateSend(queue, pair[0], data);
    const auto partial = Next(queue, 0);
    int waiting = 0;
    if (!partial || partial->UserData != SendTag || ::ioctl(pair[1].Get(), FIONREAD, &waiting) != 0 ||
        partial->Result != waiting - 1)
        return false;
    QueueImmediateSend(queue, pair[0], data);
    const auto refused = Next(queue, 0);
    return refused && refused->UserData == SendTag && refused->Result == -EAGAIN;
}

} // namespace

std::string FindUringProblem()
{
    // Declared before the queue: the kernel lets go of them when that has ended.
    const auto receiving = MakePair();
    const auto sending = MakePair();
    auto queue = UringQueue::Create(8);
    if (!queue)
        return queue.error();
    auto buffers = UringBuffers::Create(*queue);
    if (!buffers)
        return buffers.error();
    if (!receiving || !sending)
        return "no socket pair to try io_uring with";
    if (!ReceivesIntoBuffers(*queue, *buffers, *receiving))
        return "this kernel's io_uring does not receive into provided buffers";
    if (!ReportsWhatIsNotTaken(*queue, *sending))
        return "this kernel's io_uring does not tell how much of a send was taken";
    return {};
}

} // namespace NetLib
