#include "io/Socket.h"

#include <array>
#include <climits>
#include <cstdio>
#include <cstring>

#if defined(_WIN32)
#  if !defined(TCP_KEEPIDLE) // not in MinGW-w64's headers; the numbers are those of the Windows SDK's ws2ipdef.h
#    define TCP_KEEPIDLE 3
#    define TCP_MAXRT 5
#    define TCP_KEEPCNT 16
#    define TCP_KEEPINTVL 17
#  endif
#else
#  include <arpa/inet.h>
#  include <cerrno>
#  include <fcntl.h>
#  include <netinet/tcp.h>
#  include <unistd.h>
#endif

namespace NetLib {
namespace {

void SetFlag(NativeSocket socket, int level, int option, int value) noexcept
{
    // Options are wishes: a socket without one still works, so failure is not an error.
    (void)::setsockopt(socket, level, option, reinterpret_cast<const char*>(&value), sizeof(value));
}

ListenError Failure(ListenStep step, const SocketAddress& address, const char* what)
{
    const int error = LastSocketError();
    return {step, error, std::string(what) + " " + address.Text().data() + ": " + SocketErrorText(error).c_str()};
}

} // namespace

int LastSocketError() noexcept
{
#if defined(_WIN32)
    return ::WSAGetLastError();
#else
    return errno;
#endif
}

SocketErrorText::SocketErrorText(int error) noexcept
{
    std::array<char, 160> words{};
#if defined(_WIN32)
    // FormatMessageA would answer in the code page of the system's language.
    std::array<wchar_t, 160> wide{};
    DWORD length =
        ::FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                         nullptr, static_cast<DWORD>(error), MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US), wide.data(),
                         static_cast<DWORD>(wide.size()), nullptr);
    if (length == 0) // no English on this system
        length = ::FormatMessageW(
            FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK, nullptr,
            static_cast<DWORD>(error), 0, wide.data(), static_cast<DWORD>(wide.size()), nullptr);
    while (length > 0 && wide[length - 1] == L' ')
        --length;
    ::WideCharToMultiByte(CP_UTF8, 0, wide.data(), static_cast<int>(length), words.data(),
                          static_cast<int>(words.size() - 1), nullptr, nullptr);
#else
    const char* const description = ::strerrordesc_np(error);
    std::snprintf(words.data(), words.size(), "%s", description == nullptr ? "unknown error" : description);
#endif
    std::snprintf(m_Text.data(), m_Text.size(), "%s (error %d)", words.data(), error);
}

std::unexpected<std::string> CallFailure(const char* call, int error)
{
    return std::unexpected(std::string(call) + ": " + SocketErrorText(error).c_str());
}

bool IsOutOfResources(int error) noexcept
{
#if defined(_WIN32)
    return error == WSAEMFILE || error == WSAENOBUFS;
#else
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
#endif
}

bool IsAddressMissing(int error) noexcept
{
#if defined(_WIN32)
    return error == WSAEADDRNOTAVAIL;
#else
    return error == EADDRNOTAVAIL;
#endif
}

bool IsPeerSilent(int error) noexcept
{
#if defined(_WIN32)
    // Overlapped operations report a reset by keepalive as WSAENETRESET.
    return error == WSAETIMEDOUT || error == WSAENETRESET || error == WSAEHOSTUNREACH || error == WSAENETUNREACH;
#else
    // When Linux gives up it reports what the network said last, if it said anything.
    return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
#endif
}

void UniqueSocket::Close() noexcept
{
    if (!IsOpen())
        return;
#if defined(_WIN32)
    ::closesocket(Release());
#else
    ::close(Release());
#endif
}

void UniqueSocket::AbortOnClose() noexcept
{
    const linger abort{1, 0};
    (void)::setsockopt(m_Socket, SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&abort), sizeof(abort));
}

void UniqueSocket::ShutdownSend() noexcept
{
#if defined(_WIN32)
    (void)::shutdown(m_Socket, SD_SEND);
#else
    (void)::shutdown(m_Socket, SHUT_WR);
#endif
}

void UniqueSocket::SetNoDelay() noexcept { SetFlag(m_Socket, IPPROTO_TCP, TCP_NODELAY, 1); }

void UniqueSocket::SetKeepAlive(const KeepAlive& keepAlive) noexcept
{
    if (keepAlive.Idle.count() == 0)
        return;
    const auto idle = static_cast<int>(keepAlive.Idle.count());
    const auto interval = static_cast<int>(keepAlive.Interval.count());
    const int inAll = idle + interval * keepAlive.Count; // at most 4.2 million seconds
    SetFlag(m_Socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    SetFlag(m_Socket, IPPROTO_TCP, TCP_KEEPIDLE, idle);
    SetFlag(m_Socket, IPPROTO_TCP, TCP_KEEPINTVL, interval);
    SetFlag(m_Socket, IPPROTO_TCP, TCP_KEEPCNT, keepAlive.Count);
#if defined(_WIN32)
    SetFlag(m_Socket, IPPROTO_TCP, TCP_MAXRT, inAll); // seconds
#else
    SetFlag(m_Socket, IPPROTO_TCP, TCP_USER_TIMEOUT, inAll > INT_MAX / 1000 ? INT_MAX : inAll * 1000); // milliseconds
#endif
}

void UniqueSocket::SetSendBound([[maybe_unused]] int bytes) noexcept
{
#if defined(TCP_NOTSENT_LOWAT)
    SetFlag(m_Socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
#endif
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t length) noexcept
{
    if (address != nullptr && length > 0 && static_cast<size_t>(length) <= sizeof(m_Storage)) {
        std::memcpy(&m_Storage, address, static_cast<size_t>(length));
        m_Length = length;
    }
}

SocketAddress::SocketAddress(const IpEndpoint& endpoint) noexcept
{
    const auto& bytes = endpoint.Address.Bytes;
    if (endpoint.Address.IsV4) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.Port);
        std::memcpy(&v4.sin_addr, bytes.data(), sizeof(v4.sin_addr));
        *this = SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.Port);
        std::memcpy(&v6.sin6_addr, bytes.data(), sizeof(v6.sin6_addr));
        *this = SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
    }
}

std::expected<SocketAddress, std::string> SocketAddress::Parse(const std::string& text, uint16_t port)
{
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1)
        return SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1)
        return SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
    return std::unexpected("\"" + text + "\" is not an IPv4 or IPv6 address");
}

SocketAddress SocketAddress::AnyIPv6(uint16_t port) noexcept
{
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    return {reinterpret_cast<const sockaddr*>(&any), sizeof(any)};
}

SocketAddress SocketAddress::AnyIPv4(uint16_t port) noexcept
{
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    return {reinterpret_cast<const sockaddr*>(&any), sizeof(any)};
}

SocketAddress SocketAddress::LocalOf(NativeSocket socket) noexcept
{
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &length) != 0)
        return {};
    return {reinterpret_cast<const sockaddr*>(&storage), length};
}

uint16_t SocketAddress::Port() const noexcept
{
    if (Family() == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&m_Storage)->sin6_port);
    if (Family() == AF_INET)
        return ntohs(reinterpret_cast<const sockaddr_in*>(&m_Storage)->sin_port);
    return 0;
}

std::optional<IpAddress> SocketAddress::Ip() const noexcept
{
    std::array<uint8_t, 16> bytes{};
    if (Family() == AF_INET6) {
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(&m_Storage)->sin6_addr, bytes.size());
        return IpAddress::V6(bytes);
    }
    if (Family() == AF_INET) {
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(&m_Storage)->sin_addr, sizeof(in_addr));
        return IpAddress::V4(std::span(bytes).first<sizeof(in_addr)>());
    }
    return std::nullopt;
}

SocketAddress::TextBuffer SocketAddress::Text() const noexcept
{
    TextBuffer text{};
    std::array<char, INET6_ADDRSTRLEN> address{};
    if (Family() == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(&m_Storage);
        ::inet_ntop(AF_INET, &v4->sin_addr, address.data(), address.size());
        std::snprintf(text.data(), text.size(), "%s:%u", address.data(), unsigned{Port()});
    } else if (Family() == AF_INET6) {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&m_Storage);
        const bool isMapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        if (isMapped)
            ::inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, address.data(), address.size());
        else
            ::inet_ntop(AF_INET6, &v6->sin6_addr, address.data(), address.size());
        std::snprintf(text.data(), text.size(), isMapped ? "%s:%u" : "[%s]:%u", address.data(), unsigned{Port()});
    } else {
        std::snprintf(text.data(), text.size(), "unknown address");
    }
    return text;
}

std::expected<SocketLayer, int> SocketLayer::Open()
{
#if defined(_WIN32)
    WSADATA data{};
    if (const int error = ::WSAStartup(MAKEWORD(2, 2), &data); error != 0)
        return std::unexpected(error);
#endif
    return SocketLayer();
}

SocketLayer::~SocketLayer()
{
#if defined(_WIN32)
    if (m_Open)
        ::WSACleanup();
#endif
}

UniqueSocket OpenTcpSocket(int family) noexcept
{
#if defined(_WIN32)
    return UniqueSocket(
        ::WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
#else
    return UniqueSocket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
#endif
}

std::expected<UniqueSocket, ListenError> OpenListenSocket(const SocketAddress& address, bool dualStack,
                                                          const std::function<void(UniqueSocket&)>& prepare)
{
    UniqueSocket socket = OpenTcpSocket(address.Family());
    if (!socket.IsOpen())
        return std::unexpected(Failure(ListenStep::Socket, address, "no socket for"));
#if defined(_WIN32)
    // SO_REUSEADDR lets another process steal the port on Windows; this is the option that says "mine".
    SetFlag(socket.Get(), SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
#else
    // Allows a restart while old connections are in TIME_WAIT; a second listener is still refused.
    SetFlag(socket.Get(), SOL_SOCKET, SO_REUSEADDR, 1);
#endif
    if (address.Family() == AF_INET6)
        SetFlag(socket.Get(), IPPROTO_IPV6, IPV6_V6ONLY, dualStack ? 0 : 1);
    if (::bind(socket.Get(), address.Data(), address.Length()) != 0)
        return std::unexpected(Failure(ListenStep::Bind, address, "cannot bind"));
    prepare(socket);
    if (::listen(socket.Get(), SOMAXCONN) != 0)
        return std::unexpected(Failure(ListenStep::Listen, address, "cannot listen on"));
    return socket;
}

} // namespace NetLib
