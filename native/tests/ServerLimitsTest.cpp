// What happens when something is used up: it pauses or is refused, is said once, and goes on when there is room.
#include <algorithm>
#include <deque>
#include <iterator>

#include <gtest/gtest.h>

#include "TestServer.h"

#if !defined(_WIN32)
#  include <fcntl.h>
#  include <sys/resource.h>
#endif

namespace NetLib::Test {
namespace {

TEST(ServerLimits, ConnectionsBeyondTheMaximum)
{
    NetLib_Config config = SmallConfig();
    config.MaxConnectionCount = 3;
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Warn);
    TestServer server(config);
    std::deque<TestClient> clients;
    for (uint64_t i = 0; i < 3; ++i) {
        clients.emplace_back(server.Port());
        (void)server.Next(NetLib_MessageType_Connection);
    }
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(TestClient(server.Port()).ReceiveToEnd(), 0u) << "refused means closed, not silent";
    EXPECT_EQ(server.Stats().ConnectionsRefused, 5u);
    EXPECT_EQ(server.Stats().ConnectionsCurrent, 3u);
    EXPECT_TRUE(server.HasNothing()) << "logic hears nothing of those that were refused";

    clients.pop_front();
    (void)server.Next(NetLib_MessageType_Close);
    server.Release();
    server.Await("a slot to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 2; });
    clients.emplace_back(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    EXPECT_EQ(server.Send(id, HeaderOf(5)), NetLib_Result_Success);
    EXPECT_EQ(clients.back().ReceivePacket(), HeaderOf(5));
    EXPECT_EQ(server.Stats().ConnectionsRefused, 5u);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_GE(log.Count("connections refused"), 1u);
}

// The pool is empty while logic holds its messages: reading pauses, and goes on by itself when they come back.
TEST(ServerLimits, EmptyPoolPausesReading)
{
    constexpr uint32_t Packets = 50;
    NetLib_Config config = SmallConfig();
    config.MaxMessagePoolCount = 2;
    config.ExtraMessagePoolCount = 1;
    config.ConnectionMaxRecvBufferSize = 4096;
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Warn);
    TestServer server(config);
    TestClient client(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    for (uint32_t i = 0; i < Packets; ++i)
        client.Send(NumberedPacket(20, 1, i));
    server.Await("the pool to be empty", [](const NetLib_Stats& stats) { return stats.MessagePoolExhausted != 0; });
    EXPECT_EQ(server.Stats().MessagesInUse, 3u);
    EXPECT_EQ(server.Stats().MessageReserveUsed, 1u);
    for (uint32_t i = 0; i < Packets; ++i)
        ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, i));
    EXPECT_TRUE(server.HasNothing());
    EXPECT_EQ(server.Stats().MessagesInUse, 0u);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_GE(log.Count("message pool exhausted"), 1u);
}

// A client with much to say does not keep the pool to itself: of those that wait, each is served in turn.
TEST(ServerLimits, EmptyPoolIsSharedInTurns)
{
    constexpr uint32_t Packets = 10;
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = 1;
    config.MaxMessagePoolCount = 1;
    config.ExtraMessagePoolCount = 0;
    TestServer server(config);
    TestClient talker(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    TestClient other(server.Port());
    const NetLib_ConnectionId otherId = server.Next(NetLib_MessageType_Connection).Id;
    Bytes all;
    for (uint32_t i = 0; i < Packets; ++i)
        std::ranges::copy(NumberedPacket(20, 1, i), std::back_inserter(all));
    talker.Send(all);
    server.Await("the talker to wait", [](const NetLib_Stats& stats) { return stats.MessagePoolExhausted == 1; });
    other.Send(NumberedPacket(20, 2, 0));
    server.Await("the other one to wait", [](const NetLib_Stats& stats) { return stats.MessagePoolExhausted == 2; });
    uint32_t before = 0;
    while (server.Next(NetLib_MessageType_OnRecv).Id != otherId)
        ++before;
    // The one that logic had, and one of the talker's turn, because it has waited for longer.
    EXPECT_LE(before, 2u);
    for (uint32_t i = before; i < Packets; ++i)
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, i));
}

// Logic holds a whole ring: this connection pauses, and another is served.
TEST(ServerLimits, FullRingPausesItsConnectionOnly)
{
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = 1;
    config.ConnectionMaxRecvBufferSize = config.MaxRecvOverlappedBufferSize = 256;
    TestServer server(config);
    TestClient client(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    for (uint32_t i = 0; i < 10; ++i)
        client.Send(NumberedPacket(128, 1, i));
    server.Await("reading to pause", [](const NetLib_Stats& stats) { return stats.ReceivesPaused != 0; });
    const uint64_t received = server.Stats().PacketsReceived;
    EXPECT_LE(received, 2u);
    TestClient other(server.Port());
    other.Send(NumberedPacket(128, 2, 0));
    server.Await("the other's packet",
                 [received](const NetLib_Stats& stats) { return stats.PacketsReceived == received + 1; });
    for (uint32_t i = 0; i < 10;) {
        NetLib_Message message{};
        uint32_t count = 0;
        ASSERT_EQ(NetLib_Poll(server.Get(), &message, 1, PatienceMilliseconds, &count), NetLib_Result_Success);
        ASSERT_EQ(count, 1u);
        const auto* const data = reinterpret_cast<const std::byte*>(message.Data);
        if (message.Type != NetLib_MessageType_OnRecv || Bytes(data, data + message.Size) == NumberedPacket(128, 2, 0))
            continue;
        ASSERT_EQ(Bytes(data, data + message.Size), NumberedPacket(128, 1, i++));
    }
    EXPECT_TRUE(server.HasNothing());
}

#if !defined(_WIN32)

// Lets this process open so many more descriptors and no more, while it lives.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t more)
    {
        ::getrlimit(RLIMIT_NOFILE, &m_Before);
        rlimit lowered = m_Before;
        // Descriptors are given from the lowest on, and the limit is about their numbers.
        lowered.rlim_cur = static_cast<rlim_t>(::fcntl(0, F_DUPFD, 0));
        ::close(static_cast<int>(lowered.rlim_cur));
        lowered.rlim_cur += more;
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
    }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;
    ~DescriptorLimit() { (void)::setrlimit(RLIMIT_NOFILE, &m_Before); }

private:
    rlimit m_Before{};
};

// Holds all descriptors that this process may have but so many, while it lives.
class FewDescriptors {
public:
    explicit FewDescriptors(size_t more)
    {
        for (int descriptor = ::dup(0); descriptor >= 0; descriptor = ::dup(0))
            m_Held.emplace_back(descriptor);
        m_Held.resize(m_Held.size() - more);
    }

private:
    std::vector<UniqueSocket> m_Held;
};

// No descriptor for another connection: accepting pauses, says so once, disturbs nobody, and goes on by itself.
TEST(ServerLimits, OutOfDescriptors)
{
    // Before the server starts: io_uring goes by the limit that was in force when it began to accept.
    const DescriptorLimit limit(100);
    NetLib_Config config = SmallConfig();
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Info);
    TestServer server(config);
    TestClient first(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    std::optional<TestClient> second;
    {
        const FewDescriptors few(1); // for the client's side
        second.emplace(server.Port());
        server.Await("accepting to be tried several times",
                     [](const NetLib_Stats& stats) { return stats.AcceptErrors >= 3; });
        EXPECT_TRUE(server.HasNothing());
        EXPECT_EQ(log.Count("accepting paused"), 1u) << "one line an episode";
        EXPECT_EQ(server.Send(id, HeaderOf(5)), NetLib_Result_Success);
        EXPECT_EQ(first.ReceivePacket(), HeaderOf(5));
    }
    const NetLib_ConnectionId secondId = server.Next(NetLib_MessageType_Connection).Id;
    EXPECT_EQ(server.Send(secondId, HeaderOf(5)), NetLib_Result_Success);
    EXPECT_EQ(second->ReceivePacket(), HeaderOf(5));
    TestClient third(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
}

// Start needs descriptors, too: without them it fails with a reason and leaves none behind, wherever it fails.
TEST(ServerLimits, StartWithoutDescriptors)
{
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = 3;
    TestServer server;
    const size_t before = CountOpenDescriptors();
    int failures = 0;
    for (rlim_t more = 0;; ++more) {
        char error[200];
        NetLib_Result result;
        {
            const DescriptorLimit limit(more);
            result = NetLib_Start(server.Get(), &config, error, sizeof(error));
        }
        if (result == NetLib_Result_Success)
            break;
        ++failures;
        EXPECT_TRUE(result == NetLib_Result_FailCreateListenSocketSocket || result == NetLib_Result_FailHandleIocpWork)
            << result << ": " << error;
        EXPECT_NE(std::string(error).find("(error "), std::string::npos) << error;
        EXPECT_EQ(CountOpenDescriptors(), before) << "with " << more << " descriptors";
        EXPECT_EQ(server.Port(), 0);
    }
    // More, if the process was given descriptors with gaps between their numbers: the limit is one of numbers.
    EXPECT_GE(failures, 7) << "a listen socket, and two descriptors a worker";
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_EQ(CountOpenDescriptors(), before);
}

#endif

} // namespace
} // namespace NetLib::Test
