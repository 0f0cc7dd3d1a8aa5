#include "TestClient.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <stdexcept>

#if !defined(_WIN32)
#  include <sys/time.h>
#endif

#include "PacketFraming.h"

namespace NetLib::Test {
namespace {

#if defined(_WIN32)
constexpr int NoSignal = 0;
#else
constexpr int NoSignal = MSG_NOSIGNAL;
#endif

void SetTimeout(NativeSocket socket, int option)
{
#if defined(_WIN32)
    const DWORD timeout = PatienceMilliseconds;
#else
    timeval timeout{};
    timeout.tv_sec = Patience.count();
#endif
    (void)::setsockopt(socket, SOL_SOCKET, option, reinterpret_cast<const char*>(&timeout), sizeof(timeout));
}

[[noreturn]] void Fail(const std::string& what)
{
    throw std::runtime_error("client: " + what + ": " + SocketErrorText(LastSocketError()).c_str());
}

} // namespace

Bytes StreamBytes(uint64_t position, size_t size)
{
    Bytes bytes(size);
    for (std::byte& byte : bytes)
        byte = StreamByte(position++);
    return bytes;
}

Bytes NumberedPacket(uint32_t size, uint32_t sender, uint32_t number)
{
    Bytes packet = HeaderOf(static_cast<uint16_t>(size));
    packet.resize(size);
    for (size_t i = 2; i < packet.size(); ++i)
        packet[i] = StreamByte((uint64_t{sender} << 40) ^ (uint64_t{number} << 20) ^ i);
    return packet;
}

Bytes HeaderOf(uint16_t length)
{
    return {static_cast<std::byte>(length & 0xFF), static_cast<std::byte>(length >> 8), std::byte{101}, std::byte{0},
            std::byte{0}};
}

TestClient::TestClient(uint16_t port, const std::string& host)
{
    const auto address = SocketAddress::Parse(host, port);
    if (!address)
        throw std::runtime_error(address.error());
    m_Socket = UniqueSocket(::socket(address->Family(), SOCK_STREAM, IPPROTO_TCP));
    if (!m_Socket.IsOpen())
        Fail("socket");
    if (::connect(m_Socket.Get(), address->Data(), address->Length()) != 0)
        Fail(std::string("connect to ") + address->Text().data());
    m_Socket.SetNoDelay();
    SetTimeout(m_Socket.Get(), SO_RCVTIMEO);
    SetTimeout(m_Socket.Get(), SO_SNDTIMEO);
}

void TestClient::Send(std::span<const std::byte> data)
{
    while (!data.empty()) {
        const auto sent =
            ::send(m_Socket.Get(), reinterpret_cast<const char*>(data.data()), static_cast<int>(data.size()), NoSignal);
        if (sent <= 0)
            Fail("send");
        data = data.subspan(static_cast<size_t>(sent));
    }
}

int TestClient::ReceiveInto(std::span<std::byte> buffer)
{
    for (;;) {
        const auto received =
            ::recv(m_Socket.Get(), reinterpret_cast<char*>(buffer.data()), static_cast<int>(buffer.size()), 0);
        // A thread that has polled a server without I/O threads may be interrupted: see NetLib_Stop.
        if (received >= 0 || LastSocketError() != EINTR)
            return static_cast<int>(received);
    }
}

Bytes TestClient::ReceiveSome(size_t size)
{
    Bytes data(size);
    const int received = ReceiveInto(data);
    if (received < 0)
        Fail("receive");
    data.resize(static_cast<size_t>(received));
    return data;
}

Bytes TestClient::Receive(size_t size)
{
    Bytes data(size);
    for (size_t have = 0; have < size;) {
        const int received = ReceiveInto(std::span(data).subspan(have));
        if (received < 0)
            Fail("receive");
        if (received == 0)
            throw std::runtime_error("client: the connection ended after " + std::to_string(have) + " of " +
                                     std::to_string(size) + " bytes");
        have += static_cast<size_t>(received);
    }
    return data;
}

Bytes TestClient::ReceivePacket()
{
    Bytes packet = Receive(PacketHeaderLength);
    const auto length = std::to_integer<uint32_t>(packet[0]) | (std::to_integer<uint32_t>(packet[1]) << 8);
    if (length > PacketHeaderLength) {
        const Bytes body = Receive(length - PacketHeaderLength);
        packet.insert(packet.end(), body.begin(), body.end());
    }
    return packet;
}

bool TestClient::EndsInOrder()
{
    std::byte one{};
    return ReceiveInto({&one, 1}) == 0;
}

size_t TestClient::ReceiveToEnd()
{
    Bytes buffer(1 << 16);
    for (size_t total = 0;;) {
        const int received = ReceiveInto(buffer);
        if (received > 0) {
            total += static_cast<size_t>(received);
            continue;
        }
#if defined(_WIN32)
        const bool isTimeout = received < 0 && LastSocketError() == WSAETIMEDOUT;
#else
        const bool isTimeout = received < 0 && (LastSocketError() == EAGAIN || LastSocketError() == EWOULDBLOCK);
#endif
        if (isTimeout)
            throw std::runtime_error("client: the connection does not end");
        return total;
    }
}

void TestClient::Reset()
{
    m_Socket.AbortOnClose();
    m_Socket.Close();
}

bool HasIPv6()
{
    const UniqueSocket socket(::socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    const auto loopback = SocketAddress::Parse("::1", 0);
    return socket.IsOpen() && loopback && ::bind(socket.Get(), loopback->Data(), loopback->Length()) == 0;
}

void PumpEchoes(TestClient& client, uint32_t sender, uint32_t count, uint32_t window, uint32_t maxSize)
{
    Random random(sender + 1);
    std::deque<Bytes> unanswered;
    for (uint32_t sent = 0; sent < count || !unanswered.empty();) {
        Bytes burst;
        while (sent < count && unanswered.size() < window) {
            unanswered.push_back(NumberedPacket(random.Between(PacketHeaderLength, maxSize), sender, sent++));
            burst.insert(burst.end(), unanswered.back().begin(), unanswered.back().end());
        }
        client.Send(burst);
        for (uint32_t answers = random.Between(1, static_cast<uint32_t>(unanswered.size())); answers != 0; --answers) {
            if (client.ReceivePacket() != unanswered.front())
                throw std::runtime_error("client " + std::to_string(sender) + ": an echo is not its packet");
            unanswered.pop_front();
        }
    }
}

} // namespace NetLib::Test
