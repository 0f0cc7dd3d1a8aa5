#include "io/IoIocp.h"

#include <array>
#include <utility>

namespace NetLib {
namespace {

// Completions taken at a time: enough to share the cost of the call, few enough to stay in the cache.
constexpr ULONG CompletionsAtATime = 256;
// Accepts that wait for clients: as many connects as may arrive while one turn of the I/O thread lasts. Further ones
// wait in the listen backlog.
constexpr size_t PrePostedAccepts = 64;
// Clients in the listen backlog that may be found reset in a row before accepting rests.
constexpr int ResetsAtATime = 64;
// Completion keys: what a completion belongs to.
constexpr ULONG_PTR KeySocket = 1;
constexpr ULONG_PTR KeyWake = 2;

// Before a socket is closed. Windows cancels what is pending on a closed socket by itself, Wine 8 does not always.
void CancelPending(const UniqueSocket& socket) noexcept
{
    if (socket.IsOpen())
        (void)::CancelIoEx(reinterpret_cast<HANDLE>(socket.Get()), nullptr);
}

// The Winsock error of an NTSTATUS (the numbers are those of the Windows SDK's ntstatus.h).
int SocketErrorOf(LONG status) noexcept
{
    switch (static_cast<ULONG>(status)) {
    case 0xC00000B5: return WSAETIMEDOUT;          // STATUS_IO_TIMEOUT
    case 0xC0000120: return WSA_OPERATION_ABORTED; // STATUS_CANCELLED
    case 0xC000023C: return WSAENETUNREACH;        // STATUS_NETWORK_UNREACHABLE
    case 0xC000023D: return WSAEHOSTUNREACH;       // STATUS_HOST_UNREACHABLE
    case 0xC0000241: return WSAECONNABORTED;       // STATUS_CONNECTION_ABORTED
    default: return WSAECONNRESET;
    }
}

template <class Function>
bool LoadExtension(SOCKET socket, GUID id, Function& function) noexcept
{
    DWORD bytes = 0;
    return ::WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &function, sizeof(function), &bytes,
                      nullptr, nullptr) == 0;
}

WSABUF BufferOf(std::span<const std::byte> piece) noexcept
{
    // WSABUF is not const-correct: a send only reads.
    return {static_cast<ULONG>(piece.size()), const_cast<char*>(reinterpret_cast<const char*>(piece.data()))};
}

} // namespace

std::expected<std::unique_ptr<Io>, std::string> IoIocp::Create(IoHandler& handler)
{
    UniquePort port(::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1));
    if (port == nullptr)
        return CallFailure("CreateIoCompletionPort", static_cast<int>(::GetLastError()));
    return std::make_unique<IoIocp>(handler, std::move(port));
}

IoIocp::IoIocp(IoHandler& handler, UniquePort port) noexcept : m_Handler(handler), m_Port(std::move(port)) {}

std::expected<void, std::string> IoIocp::Listen(UniqueSocket listenSocket)
{
    m_ListenFamily = SocketAddress::LocalOf(listenSocket.Get()).Family();
    if (::CreateIoCompletionPort(reinterpret_cast<HANDLE>(listenSocket.Get()), m_Port.get(), KeySocket, 0) == nullptr)
        return CallFailure("CreateIoCompletionPort", static_cast<int>(::GetLastError()));
    if (!LoadExtension(listenSocket.Get(), WSAID_ACCEPTEX, m_AcceptEx) ||
        !LoadExtension(listenSocket.Get(), WSAID_GETACCEPTEXSOCKADDRS, m_GetAcceptExSockaddrs))
        return CallFailure("AcceptEx", LastSocketError());
    m_ListenSocket = std::move(listenSocket);
    m_Accepts = std::vector<AcceptOperation>(PrePostedAccepts);
    if (const int error = PostAccept(m_Accepts.front()); error != 0) {
        StopListening();
        return CallFailure("AcceptEx", error);
    }
    PostAllAccepts();
    return {};
}

int IoIocp::PostAccept(AcceptOperation& operation)
{
    int error = TryPostAccept(operation);
    // A client that was waiting and reset its connection makes AcceptEx fail at once. The next one is not its fault.
    for (int i = 0; error == WSAECONNRESET && i < ResetsAtATime; ++i) {
        m_Handler.OnAcceptFailed(error);
        error = TryPostAccept(operation);
    }
    return error;
}

int IoIocp::TryPostAccept(AcceptOperation& operation) noexcept
{
    operation.Socket = OpenTcpSocket(m_ListenFamily);
    if (!operation.Socket.IsOpen())
        return LastSocketError();
    operation.Overlapped = {};
    operation.Type = IocpOperation::Kind::Accept;
    DWORD bytes = 0;
    // No bytes of data are waited for: a client that connects and says nothing must not hold the accept.
    if (!m_AcceptEx(m_ListenSocket.Get(), operation.Socket.Get(), operation.Addresses, 0, AddressCapacity,
                    AddressCapacity, &bytes, &operation.Overlapped)) {
        if (const int error = LastSocketError(); error != WSA_IO_PENDING) {
            operation.Socket.Close();
            return error;
        }
    }
    operation.Pending = true;
    ++m_AcceptsPending;
    return 0;
}

void IoIocp::PostAllAccepts()
{
    for (AcceptOperation& operation : m_Accepts) {
        if (operation.Pending)
            continue;
        if (const int error = PostAccept(operation); error != 0) {
            // Those that are posted go on accepting.
            m_Handler.OnAcceptPaused(error);
            return;
        }
    }
}

void IoIocp::ResumeAccept()
{
    if (m_ListenSocket.IsOpen())
        PostAllAccepts();
}

// The pending accepts complete as failed; IsIdle tells when the last one has.
void IoIocp::StopListening() noexcept
{
    CancelPending(m_ListenSocket);
    m_ListenSocket.Close();
}

void IoIocp::AcceptDone(AcceptOperation& operation, bool succeeded)
{
    operation.Pending = false;
    --m_AcceptsPending;
    UniqueSocket socket = std::move(operation.Socket);
    if (!m_ListenSocket.IsOpen()) {
        if (succeeded) // its client came before the end, and is counted
            m_Handler.OnAccepted(std::move(socket), {});
        return;
    }
    if (succeeded) {
        sockaddr* local = nullptr;
        sockaddr* remote = nullptr;
        int localLength = 0;
        int remoteLength = 0;
        m_GetAcceptExSockaddrs(operation.Addresses, 0, AddressCapacity, AddressCapacity, &local, &localLength, &remote,
                               &remoteLength);
        const SocketAddress peer(remote, remoteLength);
        // Without it shutdown and getpeername do not work on an accepted socket.
        const SOCKET listenSocket = m_ListenSocket.Get();
        if (::setsockopt(socket.Get(), SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                         reinterpret_cast<const char*>(&listenSocket), sizeof(listenSocket)) == 0)
            m_Handler.OnAccepted(std::move(socket), peer);
        else
            m_Handler.OnAcceptFailed(LastSocketError());
    } else {
        // The peer reset the connection before it was accepted: nobody else is concerned.
        m_Handler.OnAcceptFailed(WSAECONNRESET);
    }
    if (m_ListenSocket.IsOpen()) {
        if (const int error = PostAccept(operation); error != 0)
            m_Handler.OnAcceptPaused(error);
    }
}

bool IoIocp::Attach(IoSocket& socket, UniqueSocket native) noexcept
{
    socket.Socket = std::move(native);
    socket.RecvOperation.Type = IocpOperation::Kind::Recv;
    socket.SendOperation.Type = IocpOperation::Kind::Send;
    socket.RecvOperation.Owner = socket.SendOperation.Owner = &socket;
    socket.RecvOperation.IsPending = socket.SendOperation.IsPending = socket.IsClosed = false;
    const auto handle = reinterpret_cast<HANDLE>(socket.Socket.Get());
    if (::CreateIoCompletionPort(handle, m_Port.get(), KeySocket, 0) == nullptr)
        return false;
    // What is done at once is reported by the call itself: no completion, no visit to the port for it. Right only for
    // sockets that are handles of the system (SetFileCompletionNotificationModes); others go without.
    WSAPROTOCOL_INFOW provider{};
    int length = sizeof(provider);
    const bool isHandle = ::getsockopt(socket.Socket.Get(), SOL_SOCKET, SO_PROTOCOL_INFOW,
                                       reinterpret_cast<char*>(&provider), &length) == 0 &&
                          (provider.dwServiceFlags1 & XP1_IFS_HANDLES) != 0;
    socket.SkipsCompletion =
        isHandle && ::SetFileCompletionNotificationModes(handle, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
                                                                     FILE_SKIP_SET_EVENT_ON_HANDLE) != FALSE;
    return true;
}

IoOutcome IoIocp::Started(IoSocket& socket, IocpOperation& operation, bool succeeded, DWORD bytes) noexcept
{
    if (!succeeded) {
        if (const int error = LastSocketError(); error != WSA_IO_PENDING)
            return IoOutcome::Failed(error);
    } else if (socket.SkipsCompletion) {
        return IoOutcome::Done(bytes);
    }
    operation.IsPending = true;
    return IoOutcome::Pending();
}

IoOutcome IoIocp::Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept
{
    socket.RecvOperation.Overlapped = {};
    WSABUF wsaBuffer = BufferOf(buffer);
    DWORD flags = 0;
    DWORD bytes = 0;
    const bool succeeded = ::WSARecv(socket.Socket.Get(), &wsaBuffer, 1, &bytes, &flags,
                                     &socket.RecvOperation.Overlapped, nullptr) != SOCKET_ERROR;
    return Started(socket, socket.RecvOperation, succeeded, bytes);
}

IoOutcome IoIocp::Send(IoSocket& socket, std::span<const std::byte> first, std::span<const std::byte> second,
                       bool) noexcept
{
    socket.SendOperation.Overlapped = {};
    std::array<WSABUF, 2> buffers{BufferOf(first), BufferOf(second)};
    DWORD bytes = 0;
    const bool succeeded = ::WSASend(socket.Socket.Get(), buffers.data(), second.empty() ? 1 : 2, &bytes, 0,
                                     &socket.SendOperation.Overlapped, nullptr) != SOCKET_ERROR;
    return Started(socket, socket.SendOperation, succeeded, bytes);
}

void IoIocp::CancelRecv(IoSocket& socket) noexcept
{
    // Fails only when the receive is complete already, and its completion waits at the port.
    (void)::CancelIoEx(reinterpret_cast<HANDLE>(socket.Socket.Get()), &socket.RecvOperation.Overlapped);
}

void IoIocp::Close(IoSocket& socket, bool abort) noexcept
{
    if (abort)
        socket.Socket.AbortOnClose();
    CancelPending(socket.Socket);
    socket.Socket.Close();
    socket.IsClosed = true;
    if (!socket.RecvOperation.IsPending && !socket.SendOperation.IsPending)
        m_Closed.Add(socket);
}

IoOutcome IoIocp::OutcomeOf(const OVERLAPPED_ENTRY& entry) noexcept
{
    // Internal is the operation's NTSTATUS (documented with OVERLAPPED); its socket may be closed already, so
    // WSAGetOverlappedResult cannot be asked.
    const auto status = static_cast<LONG>(entry.lpOverlapped->Internal);
    if (status < 0)
        return IoOutcome::Failed(SocketErrorOf(status));
    return IoOutcome::Done(entry.dwNumberOfBytesTransferred);
}

void IoIocp::Wait(int milliseconds)
{
    if (!m_Closed.IsEmpty()) {
        m_Closed.Report(m_Handler);
        milliseconds = 0;
    }
    std::array<OVERLAPPED_ENTRY, CompletionsAtATime> entries;
    ULONG count = 0;
    const bool isAnyDone =
        ::GetQueuedCompletionStatusEx(m_Port.get(), entries.data(), CompletionsAtATime, &count,
                                      milliseconds < 0 ? INFINITE : static_cast<DWORD>(milliseconds), FALSE) != FALSE;
    m_Handler.OnWoken();
    if (!isAnyDone)
        return; // the time is over
    for (ULONG i = 0; i < count; ++i) {
        const OVERLAPPED_ENTRY& entry = entries[i];
        if (entry.lpCompletionKey == KeyWake || entry.lpOverlapped == nullptr)
            continue;
        auto* operation = reinterpret_cast<IocpOperation*>(entry.lpOverlapped);
        const IoOutcome outcome = OutcomeOf(entry);
        switch (operation->Type) {
        case IocpOperation::Kind::Accept:
            AcceptDone(*static_cast<AcceptOperation*>(operation), outcome.Result == IoOutcome::Status::Done);
            break;
        case IocpOperation::Kind::Recv:
        case IocpOperation::Kind::Send: {
            IoSocket& socket = *operation->Owner;
            operation->IsPending = false;
            // One that the handler closes now is not meant: Close has seen to it.
            const bool isLast = socket.IsClosed && !socket.RecvOperation.IsPending && !socket.SendOperation.IsPending;
            if (operation->Type == IocpOperation::Kind::Recv)
                m_Handler.OnRecvDone(socket, outcome);
            else
                m_Handler.OnSendDone(socket, outcome);
            if (isLast)
                m_Handler.OnClosed(socket);
            break;
        }
        }
    }
}

void IoIocp::Wake() noexcept
{
    // Fails only without kernel memory; the I/O thread looks up by itself before long.
    (void)::PostQueuedCompletionStatus(m_Port.get(), 0, KeyWake, nullptr);
}

} // namespace NetLib
