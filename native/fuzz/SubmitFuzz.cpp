// NetLib_Submit on a running server, with a client that is connected: any operations over any payload and receivers.
// The arrays have exactly the size that is told, each in memory of its own, so that AddressSanitizer sees what is read
// outside. The answer must follow from the rules in IocpNetLib.h, and every payload must be counted once a receiver.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "Fuzz.h"
#include "IocpNetLib.h"

namespace NetLib::Fuzz {
namespace {

constexpr uint32_t SendRing = 4096;

// One server for all runs; its client is replaced when an operation has closed the connection.
class Server {
public:
    Server()
    {
        NetLib_Config config;
        NetLib_DefaultConfig(&config);
        config.PortNumber = 0;
        config.MaxConnectionCount = 16;
        config.MaxMessagePoolCount = 64;
        config.ExtraMessagePoolCount = 0;
        config.ConnectionMaxSendBufferSize = SendRing;
        config.MaxSendOverlappedBufferSize = SendRing;
        config.CloseTimeoutMilliseconds = 0;
        std::strcpy(config.BindAddress, "127.0.0.1");
        std::array<char, 256> error{};
        if (NetLib_Start(m_Server, &config, error.data(), error.size()) != NetLib_Result_Success) {
            std::fprintf(stderr, "the server does not start: %s\n", error.data());
            std::abort();
        }
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server()
    {
        Hangup();
        NetLib_Destroy(m_Server);
    }

    [[nodiscard]] NetLib_Server* Handle() const noexcept { return m_Server; }

    // The connection that is open, or was when it was last looked at.
    NetLib_ConnectionId Connected()
    {
        Poll(0);
        if (m_Client < 0)
            Connect();
        while (m_Id == 0)
            Poll(1000);
        return m_Id;
    }

    // Reads what the client was sent, so that its ring is seldom full.
    void Drain()
    {
        std::array<char, 4 * SendRing> buffer;
        while (recv(m_Client, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
        }
    }

    // Payloads that were queued or dropped up to now.
    [[nodiscard]] uint64_t Counted() const
    {
        NetLib_Stats stats{};
        stats.StructSize = sizeof(stats);
        Require(NetLib_GetStats(m_Server, &stats) == NetLib_Result_Success, "there are counters");
        uint64_t count = stats.PacketsSent;
        for (const uint64_t dropped : stats.SendsDropped)
            count += dropped;
        return count;
    }

private:
    void Connect()
    {
        m_Client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        // The end is a reset: an orderly one would keep each port for a minute.
        const linger reset{.l_onoff = 1, .l_linger = 0};
        setsockopt(m_Client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(NetLib_GetPort(m_Server));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
        Require(m_Client >= 0, "there is a socket for a client");
        // libFuzzer's timer may interrupt it; then it goes on by itself, and is asked again how far it is.
        int result = 0;
        do
            result = connect(m_Client, generic, sizeof(address));
        while (result != 0 && (errno == EINTR || errno == EALREADY));
        Require(result == 0 || errno == EISCONN, "a client can connect");
    }

    void Hangup()
    {
        if (m_Client >= 0)
            close(m_Client);
        m_Client = -1;
        m_Id = 0;
    }

    void Poll(int32_t milliseconds)
    {
        std::array<NetLib_Message, 16> messages;
        uint32_t count = 0;
        Require(NetLib_Poll(m_Server, messages.data(), messages.size(), milliseconds, &count) == NetLib_Result_Success,
                "the server runs");
        for (uint32_t i = 0; i < count; ++i) {
            if (messages[i].Type == NetLib_MessageType_Connection)
                m_Id = messages[i].ConnectionId;
            else if (messages[i].Type == NetLib_MessageType_Close && messages[i].ConnectionId == m_Id)
                Hangup();
        }
        NetLib_Release(m_Server);
    }

    NetLib_Server* m_Server = NetLib_Create();
    int m_Client = -1;
    NetLib_ConnectionId m_Id = 0; // 0: none, or not told yet
};

// size elements in memory of their own, and none is a null pointer by turns.
template <typename Element>
class Exact {
public:
    explicit Exact(std::span<const Element> elements)
        : m_Elements(std::make_unique_for_overwrite<Element[]>(elements.size())), m_Size(elements.size())
    {
        std::copy(elements.begin(), elements.end(), m_Elements.get());
    }
    [[nodiscard]] const Element* Data(bool mayBeNull) const noexcept
    {
        return m_Size == 0 && mayBeNull ? nullptr : m_Elements.get();
    }
    [[nodiscard]] uint32_t Size() const noexcept { return static_cast<uint32_t>(m_Size); }

private:
    std::unique_ptr<Element[]> m_Elements;
    size_t m_Size;
};

// The end of a span from an offset on, about there, or anything.
uint32_t SizeOf(Input& input, uint32_t offset, uint32_t available)
{
    const uint8_t how = input.Take<uint8_t>();
    const uint32_t rest = available - offset; // wraps around where offset is outside: that, too, must be refused
    return how < 128 ? how % 64 : how < 240 ? rest + how % 3 - 1 : input.Take<uint32_t>();
}

uint32_t OffsetOf(Input& input, uint32_t available)
{
    const uint8_t how = input.Take<uint8_t>();
    return how < 160 ? how % (available + 1) : how < 240 ? available + how % 3 - 1 : input.Take<uint32_t>();
}

NetLib_ConnectionId IdOf(Input& input, NetLib_ConnectionId connected)
{
    const uint8_t how = input.Take<uint8_t>();
    if (how < 192)
        return connected;
    if (how < 224)
        return connected ^ (uint64_t{1} << (how % 64)); // of another slot, or of an earlier client of this one
    return input.Take<uint64_t>();
}

NetLib_Op OpOf(Input& input, uint32_t payloadSize, uint32_t receiverCount, NetLib_ConnectionId connected)
{
    NetLib_Op op{};
    const uint8_t type = input.Take<uint8_t>();
    op.Type = type < 250 ? (type < 120   ? NetLib_Op_Send
                            : type < 246 ? NetLib_Op_Broadcast
                                         : NetLib_Op_Disconnect)
                         : input.Take<uint32_t>();
    op.ConnectionId = IdOf(input, connected);
    op.PayloadOffset = OffsetOf(input, payloadSize);
    op.PayloadSize = SizeOf(input, op.PayloadOffset, payloadSize);
    if (op.Type != NetLib_Op_Send) {
        op.ReceiverOffset = OffsetOf(input, receiverCount);
        op.ReceiverCount = SizeOf(input, op.ReceiverOffset, receiverCount);
    }
    return op;
}

// The header's rules, in 64 bits, where no sum wraps around.
bool IsAllowed(const NetLib_Op& op, uint64_t payloadSize, uint64_t receiverCount)
{
    const bool payloadIsInside = uint64_t{op.PayloadOffset} + op.PayloadSize <= payloadSize;
    const bool payloadFits = op.PayloadSize >= 1 && op.PayloadSize <= SendRing;
    const bool receiversAreInside = uint64_t{op.ReceiverOffset} + op.ReceiverCount <= receiverCount;
    switch (op.Type) {
    case NetLib_Op_Send: return payloadIsInside && payloadFits;
    case NetLib_Op_Broadcast: return payloadIsInside && payloadFits && receiversAreInside;
    case NetLib_Op_Disconnect: return true;
    default: return false;
    }
}

void Run(Server& server, Input& input)
{
    const NetLib_ConnectionId connected = server.Connected();
    const uint8_t shape = input.Take<uint8_t>();
    const uint32_t payloadSize = shape % 4 == 3 ? input.Between(0, SendRing + 16) : input.Between(0, 80);
    std::vector<NetLib_ConnectionId> ids(input.Between(0, 9));
    for (NetLib_ConnectionId& id : ids)
        id = IdOf(input, connected);
    const auto stream = StreamBytes(0, payloadSize);
    const Exact<uint8_t> payload({reinterpret_cast<const uint8_t*>(stream.data()), stream.size()});
    const Exact<NetLib_ConnectionId> receivers(ids);
    std::vector<NetLib_Op> list;
    while (!input.IsEmpty() && list.size() < 24)
        list.push_back(OpOf(input, payload.Size(), receivers.Size(), connected));
    const Exact<NetLib_Op> ops(list);

    bool allowed = true;
    uint64_t payloads = 0;
    for (const NetLib_Op& op : list) {
        allowed = allowed && IsAllowed(op, payload.Size(), receivers.Size());
        payloads += op.Type == NetLib_Op_Send ? 1 : op.Type == NetLib_Op_Broadcast ? op.ReceiverCount : 0;
    }
    const bool mayBeNull = shape >= 128;
    const uint64_t before = server.Counted();
    const NetLib_Result result =
        NetLib_Submit(server.Handle(), ops.Data(mayBeNull), ops.Size(), payload.Data(mayBeNull), payload.Size(),
                      receivers.Data(mayBeNull), receivers.Size());
    Require(result == (allowed ? NetLib_Result_Success : NetLib_Result_InvalidArgument),
            "the answer follows from the operations");
    Require(server.Counted() - before == (allowed ? payloads : 0), "all is carried out or nothing");
    server.Drain();
}

} // namespace
} // namespace NetLib::Fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    static NetLib::Fuzz::Server server;
    NetLib::Fuzz::Input input(data, size);
    NetLib::Fuzz::Run(server, input);
    return 0;
}
