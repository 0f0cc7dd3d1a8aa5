// Sockets as both systems have them: ownership, addresses and options. The only place, beside the backends, that
// includes the system's socket headers.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "IpAddress.h"

#if defined(_WIN32)
#  include <winsock2.h>
#  include <ws2tcpip.h>
#else
#  include <netinet/in.h>
#  include <sys/socket.h>
#endif

namespace NetLib {

#if defined(_WIN32)
using NativeSocket = SOCKET;
inline constexpr NativeSocket InvalidNativeSocket = INVALID_SOCKET;
#else
using NativeSocket = int;
inline constexpr NativeSocket InvalidNativeSocket = -1;
#endif

// The calling thread's last socket error: errno or WSAGetLastError.
[[nodiscard]] int LastSocketError() noexcept;

// A system error number in words, with the number: UTF-8, in English where the system can. It allocates nothing, since
// the error may be that there is no memory.
class SocketErrorText {
public:
    explicit SocketErrorText(int error) noexcept;
    [[nodiscard]] const char* c_str() const noexcept { return m_Text.data(); }
    operator std::string_view() const noexcept { return m_Text.data(); }

private:
    std::array<char, 200> m_Text{};
};

// What a call of the system failed with, as a sentence.
[[nodiscard]] std::unexpected<std::string> CallFailure(const char* call, int error);

// Whether an accept failed because the process or the system has no descriptor or memory for another socket.
[[nodiscard]] bool IsOutOfResources(int error) noexcept;

// Whether a bind failed because the machine does not have the address.
[[nodiscard]] bool IsAddressMissing(int error) noexcept;

// Whether a connection broke because its peer did not answer any more, rather than by its wish.
[[nodiscard]] bool IsPeerSilent(int error) noexcept;

// How the system finds a peer that has vanished without a word.
struct KeepAlive {
    std::chrono::seconds Idle{0};     // silence until the first question; 0: none is asked
    std::chrono::seconds Interval{0}; // between questions
    int Count = 0;                    // unanswered ones until the connection is broken
};

// Owns one socket and closes it.
class UniqueSocket {
public:
    UniqueSocket() noexcept = default;
    explicit UniqueSocket(NativeSocket socket) noexcept : m_Socket(socket) {}
    UniqueSocket(UniqueSocket&& other) noexcept : m_Socket(other.Release()) {}
    UniqueSocket& operator=(UniqueSocket&& other) noexcept
    {
        if (this != &other) {
            Close();
            m_Socket = other.Release();
        }
        return *this;
    }
    UniqueSocket(const UniqueSocket&) = delete;
    UniqueSocket& operator=(const UniqueSocket&) = delete;
    ~UniqueSocket() { Close(); }

    [[nodiscard]] NativeSocket Get() const noexcept { return m_Socket; }
    [[nodiscard]] bool IsOpen() const noexcept { return m_Socket != InvalidNativeSocket; }
    [[nodiscard]] NativeSocket Release() noexcept { return std::exchange(m_Socket, InvalidNativeSocket); }
    void Close() noexcept;

    // Makes the next Close discard what is unsent and reset the connection, so that it holds no kernel memory.
    void AbortOnClose() noexcept;
    void ShutdownSend() noexcept;
    void SetNoDelay() noexcept;
    // Lets the system break the connection of a peer that has vanished: one that is silent, by questions; and one that
    // does not acknowledge what it is sent, which no question is asked about, after the same time in all.
    void SetKeepAlive(const KeepAlive& keepAlive) noexcept;
    // Bounds what the system keeps for a peer that does not read: it takes no more while so many bytes wait to be sent.
    // By itself Linux would take megabytes (tcp_wmem in tcp(7)). Elsewhere the system has a bound of its own.
    void SetSendBound(int bytes) noexcept;

private:
    NativeSocket m_Socket = InvalidNativeSocket;
};

// Whether a connection begins with the options of the socket that it was accepted by: then one call sets them for all.
#if defined(_WIN32)
inline constexpr bool AcceptedSocketsInheritOptions = false;
#else
inline constexpr bool AcceptedSocketsInheritOptions = true;
#endif

// An IPv4 or IPv6 address with port.
class SocketAddress {
public:
    SocketAddress() noexcept = default;
    SocketAddress(const sockaddr* address, socklen_t length) noexcept;
    explicit SocketAddress(const IpEndpoint& endpoint) noexcept;

    // Reads an address literal, without brackets or scope; nothing is looked up.
    [[nodiscard]] static std::expected<SocketAddress, std::string> Parse(const std::string& text, uint16_t port);
    [[nodiscard]] static SocketAddress AnyIPv6(uint16_t port) noexcept;
    [[nodiscard]] static SocketAddress AnyIPv4(uint16_t port) noexcept;
    [[nodiscard]] static SocketAddress LocalOf(NativeSocket socket) noexcept;

    [[nodiscard]] const sockaddr* Data() const noexcept { return reinterpret_cast<const sockaddr*>(&m_Storage); }
    [[nodiscard]] socklen_t Length() const noexcept { return m_Length; }
    [[nodiscard]] int Family() const noexcept { return m_Storage.ss_family; }
    [[nodiscard]] uint16_t Port() const noexcept;
    // Nothing if the address is not known.
    [[nodiscard]] std::optional<IpAddress> Ip() const noexcept;

    // Room for the longest address with port and terminator: "[" 45 "]:65535".
    using TextBuffer = std::array<char, 64>;

    // "127.0.0.1:80", "[::1]:80", terminated. An IPv4 peer of a dual-stack socket is written as IPv4.
    [[nodiscard]] TextBuffer Text() const noexcept;

private:
    sockaddr_storage m_Storage{};
    socklen_t m_Length = 0;
};

// Keeps the system's socket layer running while it lives (Winsock counts its users; elsewhere nothing happens).
class SocketLayer {
public:
    [[nodiscard]] static std::expected<SocketLayer, int> Open();
    SocketLayer(SocketLayer&& other) noexcept : m_Open(std::exchange(other.m_Open, false)) {}
    SocketLayer& operator=(SocketLayer&&) = delete;
    SocketLayer(const SocketLayer&) = delete;
    SocketLayer& operator=(const SocketLayer&) = delete;
    ~SocketLayer();

private:
    SocketLayer() noexcept = default;
    bool m_Open = true;
};

enum class ListenStep : uint8_t { Socket, Bind, Listen };

struct ListenError {
    ListenStep Step;
    int Error; // the system's
    std::string Text;
};

// A listening socket, not blocking and not inherited by child processes. dualStack lets an IPv6 socket serve IPv4 too.
// prepare is called just before it listens: what is set then holds for the first client, too.
[[nodiscard]] std::expected<UniqueSocket, ListenError>
OpenListenSocket(const SocketAddress& address, bool dualStack, const std::function<void(UniqueSocket&)>& prepare);

// A TCP socket for the backend's own use.
[[nodiscard]] UniqueSocket OpenTcpSocket(int family) noexcept;

} // namespace NetLib
