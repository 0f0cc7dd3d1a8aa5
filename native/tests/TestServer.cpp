#include "TestServer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <unordered_set>

namespace NetLib::Test {
namespace {

thread_local bool t_IsInsideCall = false;

} // namespace

QuietCall::QuietCall() noexcept { t_IsInsideCall = true; }
QuietCall::~QuietCall() { t_IsInsideCall = false; }
bool QuietCall::IsUnderWay() noexcept { return t_IsInsideCall; }

NetLib_Config SmallConfig()
{
    NetLib_Config config{};
    NetLib_DefaultConfig(&config);
    config.PortNumber = 0;
    std::strcpy(config.BindAddress, "127.0.0.1");
    config.WorkThreadCount = 2;
    // The backend that is not the default can be tested, too.
    if (const char* const backend = std::getenv("IOCPNETLIB_TEST_IO"); backend != nullptr)
        config.IoBackend = backend == std::string("epoll") ? NetLib_IoBackend_Epoll : NetLib_IoBackend_IoUring;
    config.MaxPacketSize = 256;
    config.ConnectionMaxRecvBufferSize = 512;
    config.ConnectionMaxSendBufferSize = 8192;
    config.MaxRecvOverlappedBufferSize = 300;
    config.MaxSendOverlappedBufferSize = 700;
    config.MaxConnectionCount = 64;
    config.MaxMessagePoolCount = 64;
    config.ExtraMessagePoolCount = 8;
    return config;
}

void LogLines::AttachTo(NetLib_Config& config, int32_t minLevel)
{
    config.Log = &LogLines::Receive;
    config.LogUser = this;
    config.MinLogLevel = minLevel;
}

void LogLines::Receive(void* user, int32_t level, NetLib_ConnectionId connection, const char* text, uint32_t length)
{
    auto* const lines = static_cast<LogLines*>(user);
    const std::lock_guard lock(lines->m_Mutex);
    lines->m_Lines.push_back({level, connection, std::string(text, length), QuietCall::IsUnderWay()});
}

size_t LogLines::Count(const std::string& text) const
{
    const std::lock_guard lock(m_Mutex);
    return static_cast<size_t>(std::count_if(
        m_Lines.begin(), m_Lines.end(), [&](const Line& line) { return line.Text.find(text) != std::string::npos; }));
}

std::vector<NetLib_ConnectionId> LogLines::ConnectionsOf(const std::string& text) const
{
    const std::lock_guard lock(m_Mutex);
    std::vector<NetLib_ConnectionId> connections;
    for (const Line& line : m_Lines) {
        if (line.Text.find(text) != std::string::npos)
            connections.push_back(line.Connection);
    }
    return connections;
}

std::vector<std::string> LogLines::FromInsideCalls() const
{
    const std::lock_guard lock(m_Mutex);
    std::vector<std::string> texts;
    for (const Line& line : m_Lines) {
        if (line.IsInsideCall)
            texts.push_back(line.Text);
    }
    return texts;
}

bool LogLines::AreWellFormed() const
{
    const std::lock_guard lock(m_Mutex);
    return std::all_of(m_Lines.begin(), m_Lines.end(), [](const Line& line) {
        return line.Level >= NetLib_LogLevel_Trace && line.Level <= NetLib_LogLevel_Fatal && !line.Text.empty() &&
               line.Text.find_first_of(std::string("\0\r\n", 3)) == std::string::npos;
    });
}

TestServer::TestServer() : m_Server(NetLib_Create())
{
    if (m_Server == nullptr)
        throw std::bad_alloc();
}

TestServer::TestServer(const NetLib_Config& config) : TestServer() { Start(config); }

void TestServer::Start(const NetLib_Config& config)
{
    char error[512];
    if (const NetLib_Result result = NetLib_Start(m_Server, &config, error, sizeof(error)); result != 0)
        throw std::runtime_error("start: " + std::to_string(result) + ": " + error);
}

NetLib_Stats TestServer::Stats() const
{
    NetLib_Stats stats{};
    stats.StructSize = sizeof(stats);
    if (NetLib_GetStats(m_Server, &stats) != NetLib_Result_Success)
        throw std::runtime_error("no stats");
    return stats;
}

Event TestServer::Next(uint16_t type) const
{
    NetLib_Message message{};
    uint32_t count = 0;
    const NetLib_Result result = NetLib_Poll(m_Server, &message, 1, PatienceMilliseconds, &count);
    if (result != NetLib_Result_Success || count != 1)
        throw std::runtime_error("poll: " + std::to_string(result) + ", " + std::to_string(count) +
                                 " messages, where one of type " + std::to_string(type) + " must come");
    if (message.Type != type)
        throw std::runtime_error("a message of type " + std::to_string(message.Type) + ", where one of type " +
                                 std::to_string(type) + " must come");
    const auto* const data = reinterpret_cast<const std::byte*>(message.Data);
    return {message.ConnectionId, message.Type, message.Reason, Bytes(data, data + message.Size)};
}

bool TestServer::HasNothing() const
{
    NetLib_Message message{};
    uint32_t count = 1;
    return NetLib_Poll(m_Server, &message, 1, 0, &count) == NetLib_Result_Success && count == 0;
}

NetLib_Result TestServer::Send(NetLib_ConnectionId id, const Bytes& packet) const
{
    const QuietCall quiet;
    return NetLib_SendPacket(m_Server, id, reinterpret_cast<const char*>(packet.data()),
                             static_cast<uint32_t>(packet.size()));
}

NetLib_Result TestServer::Broadcast(const std::vector<NetLib_ConnectionId>& ids, const Bytes& packet) const
{
    NetLib_Op op{};
    op.PayloadSize = static_cast<uint32_t>(packet.size());
    op.ReceiverCount = static_cast<uint32_t>(ids.size());
    op.Type = NetLib_Op_Broadcast;
    const QuietCall quiet;
    return NetLib_Submit(m_Server, &op, 1, reinterpret_cast<const uint8_t*>(packet.data()), op.PayloadSize, ids.data(),
                         op.ReceiverCount);
}

NetLib_Result TestServer::Disconnect(NetLib_ConnectionId id) const
{
    NetLib_Op op{};
    op.ConnectionId = id;
    op.Type = NetLib_Op_Disconnect;
    const QuietCall quiet;
    return NetLib_Submit(m_Server, &op, 1, nullptr, 0, nullptr, 0);
}

void TestServer::Release() const
{
    if (NetLib_Release(m_Server) != NetLib_Result_Success)
        throw std::runtime_error("not released");
}

void TestServer::Await(const std::string& what, const std::function<bool(const NetLib_Stats&)>& condition) const
{
    const auto deadline = std::chrono::steady_clock::now() + Patience;
    while (!condition(Stats())) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("waited in vain: " + what);
        std::this_thread::yield();
    }
}

namespace {

// Requires one Connection, packets, one Close of each connection, and counts them.
class EventOrder {
public:
    void Add(NetLib_ConnectionId id, int type)
    {
        const bool isOpen = m_Open.contains(id);
        if (isOpen == (type == NetLib_MessageType_Connection))
            throw std::runtime_error("message of type " + std::to_string(type) + " for a connection " +
                                     (isOpen ? "that was told of already" : "that logic does not know"));
        switch (type) {
        case NetLib_MessageType_Connection:
            m_Open.insert(id);
            ++Totals.Connections;
            break;
        case NetLib_MessageType_Close:
            m_Open.erase(id);
            ++Totals.Closes;
            break;
        default: ++Totals.Packets; break;
        }
    }

    EchoTotals Totals;

private:
    std::unordered_set<NetLib_ConnectionId> m_Open;
};

// Whether polling goes on.
bool GoesOn(NetLib_Result result)
{
    if (result == NetLib_Result_Stopped || result == NetLib_Result_NotStarted)
        return false;
    if (result != NetLib_Result_Success && result != NetLib_Result_NoMessage)
        throw std::runtime_error("poll: " + std::to_string(result));
    return true;
}

EchoTotals Echo(NetLib_Server* server, uint32_t capacity)
{
    EventOrder order;
    std::vector<NetLib_Message> messages(capacity);
    std::vector<NetLib_Op> ops;
    std::vector<uint8_t> payload;
    for (;;) {
        const QuietCall quiet;
        uint32_t count = 0;
        if (!GoesOn(NetLib_Poll(server, messages.data(), capacity, NETLIB_WAIT_INFINITE, &count)))
            return order.Totals;
        ops.clear();
        payload.clear();
        for (const NetLib_Message& message : std::span(messages).first(count)) {
            order.Add(message.ConnectionId, message.Type);
            if (message.Type != NetLib_MessageType_OnRecv)
                continue;
            NetLib_Op& op = ops.emplace_back();
            op.ConnectionId = message.ConnectionId;
            op.PayloadOffset = static_cast<uint32_t>(payload.size());
            op.PayloadSize = message.Size;
            op.Type = NetLib_Op_Send;
            payload.insert(payload.end(), message.Data, message.Data + message.Size);
        }
        (void)NetLib_Submit(server, ops.data(), static_cast<uint32_t>(ops.size()), payload.data(),
                            static_cast<uint32_t>(payload.size()), nullptr, 0);
    }
}

EchoTotals CopyingEcho(NetLib_Server* server)
{
    EventOrder order;
    std::vector<char> buffer(65535);
    for (;;) {
        const QuietCall quiet;
        int8_t type = 0;
        NetLib_ConnectionId id = 0;
        uint32_t size = 0;
        const NetLib_Result result = NetLib_GetNetworkMessage(
            server, &type, &id, buffer.data(), static_cast<uint32_t>(buffer.size()), &size, NETLIB_WAIT_INFINITE);
        if (!GoesOn(result))
            return order.Totals;
        if (result == NetLib_Result_NoMessage)
            continue;
        order.Add(id, type);
        if (type == NetLib_MessageType_OnRecv)
            (void)NetLib_SendPacket(server, id, buffer.data(), size);
    }
}

} // namespace

std::future<EchoTotals> StartEcho(const TestServer& server, uint32_t capacity)
{
    return std::async(std::launch::async, Echo, server.Get(), capacity);
}

std::future<EchoTotals> StartCopyingEcho(const TestServer& server)
{
    return std::async(std::launch::async, CopyingEcho, server.Get());
}

size_t CountOpenDescriptors()
{
#if defined(_WIN32)
    return 0;
#else
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<size_t>(std::distance(begin(all), end(all)));
#endif
}

} // namespace NetLib::Test
