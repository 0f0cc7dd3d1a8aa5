// What a client may not do for long: say nothing, or say too much.
#include <algorithm>
#include <chrono>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "TestServer.h"

namespace NetLib::Test {
namespace {

// count packets of 20 bytes, in one piece.
Bytes NumberedPackets(uint32_t count)
{
    Bytes all;
    for (uint32_t i = 0; i < count; ++i) {
        const Bytes packet = NumberedPacket(20, 1, i);
        all.insert(all.end(), packet.begin(), packet.end());
    }
    return all;
}

TEST(ServerTimeout, AConnectionThatNeverCompletesAPacket)
{
    NetLib_Config config = SmallConfig();
    config.FirstPacketTimeoutMilliseconds = 200;
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Debug);
    TestServer server(config);
    TestClient talker(server.Port());
    talker.Send(HeaderOf(5));
    const NetLib_ConnectionId talkerId = server.Next(NetLib_MessageType_Connection).Id;
    (void)server.Next(NetLib_MessageType_OnRecv);
    TestClient silent(server.Port());
    const NetLib_ConnectionId silentId = server.Next(NetLib_MessageType_Connection).Id;
    TestClient half(server.Port());
    const NetLib_ConnectionId halfId = server.Next(NetLib_MessageType_Connection).Id;
    const Bytes packet = NumberedPacket(100, 1, 1);
    half.Send(std::span(packet).first(99));

    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_FirstPacketTimeout);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_FirstPacketTimeout);
    server.Release();
    EXPECT_TRUE(silent.EndsInOrder());
    EXPECT_TRUE(half.EndsInOrder());
    silent.Close();
    half.Close();
    // The one that spoke may be silent now.
    EXPECT_EQ(server.Send(talkerId, HeaderOf(5)), NetLib_Result_Success);
    EXPECT_EQ(talker.ReceivePacket(), HeaderOf(5));
    EXPECT_EQ(server.Stats().Closed[NetLib_CloseReason_FirstPacketTimeout], 2u);
    server.Await("both places to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 1; });
    EXPECT_EQ(server.Stats().BytesReceivedDiscarded, 99u);
    auto about = log.ConnectionsOf("no packet in time after connecting");
    std::sort(about.begin(), about.end());
    std::vector<NetLib_ConnectionId> both{silentId, halfId};
    std::sort(both.begin(), both.end());
    EXPECT_EQ(about, both);
    EXPECT_EQ(log.ConnectionsOf("listening"), std::vector<NetLib_ConnectionId>{0});
}

TEST(ServerTimeout, AConnectionThatFallsSilent)
{
    NetLib_Config config = SmallConfig();
    config.FirstPacketTimeoutMilliseconds = 3'600'000; // a longer one holds only until the first packet
    config.IdleTimeoutMilliseconds = 200;
    TestServer server(config);
    TestClient client(server.Port());
    client.Send(HeaderOf(5));
    (void)server.Next(NetLib_MessageType_Connection);
    (void)server.Next(NetLib_MessageType_OnRecv);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_IdleTimeout);
    server.Release();
    EXPECT_TRUE(client.EndsInOrder());
    EXPECT_EQ(server.Stats().Closed[NetLib_CloseReason_IdleTimeout], 1u);
}

// Limits that are set later hold for those who are connected, and silence counts from then on.
TEST(ServerTimeout, LimitsThatChange)
{
    NetLib_Config config = SmallConfig();
    config.MaxBytesPerSecond = 1;
    config.RateBurstMilliseconds = 20;
    TestServer server(config);
    TestClient client(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    NetLib_Limits limits{.StructSize = sizeof(NetLib_Limits),
                         .FirstPacketTimeoutMilliseconds = 3'600'001,
                         .IdleTimeoutMilliseconds = 0,
                         .MaxPacketsPerSecond = 0,
                         .MaxBytesPerSecond = 0,
                         .RateBurstMilliseconds = 20};
    char error[200];
    EXPECT_EQ(NetLib_SetLimits(server.Get(), &limits, error, sizeof(error)), NetLib_Result_InvalidArgument);
    EXPECT_STREQ(error, "FirstPacketTimeoutMilliseconds is 3600001, allowed is 0 to 3600000");
    limits.FirstPacketTimeoutMilliseconds = 0;
    limits.StructSize = 1;
    EXPECT_EQ(NetLib_SetLimits(server.Get(), &limits, error, sizeof(error)), NetLib_Result_InvalidArgument);
    EXPECT_STREQ(error, "StructSize is 1, this library's is 24");
    limits.StructSize = sizeof(NetLib_Limits);

    client.Send(NumberedPackets(3)); // one of them passes, the others would have to wait for 20 s each
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, 0));
    server.Await("it to be throttled", [](const NetLib_Stats& stats) { return stats.ReceivesThrottled != 0; });
    limits.IdleTimeoutMilliseconds = 200;
    EXPECT_EQ(NetLib_SetLimits(server.Get(), &limits, error, sizeof(error)), NetLib_Result_Success);
    EXPECT_STREQ(error, "");
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, 1));
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, 2));
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_IdleTimeout);
}

// Every packet counts: the client speaks three times as long as the limit, and longer than that is silent for less.
TEST(ServerTimeout, EveryPacketPutsItOff)
{
    using Clock = std::chrono::steady_clock;
    NetLib_Config config = SmallConfig();
    config.IdleTimeoutMilliseconds = 1000;
    TestServer server(config);
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    uint32_t number = 0;
    for (const auto end = Clock::now() + std::chrono::seconds(3); Clock::now() < end; ++number) {
        client.Send(NumberedPacket(20, 1, number));
        ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, number));
        ASSERT_EQ(server.Send(id, NumberedPacket(20, 1, number)), NetLib_Result_Success);
        ASSERT_EQ(client.ReceivePacket(), NumberedPacket(20, 1, number));
    }
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_IdleTimeout);
}

// Silence is the client's only if the server listens.
TEST(ServerTimeout, AClientThatIsNotReadIsNotSilent)
{
    NetLib_Config config = SmallConfig();
    config.IdleTimeoutMilliseconds = 200;
    config.ConnectionMaxRecvBufferSize = config.MaxRecvOverlappedBufferSize = 512;
    TestServer server(config);
    TestClient paused(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    for (uint32_t i = 0; i < 10; ++i)
        paused.Send(NumberedPacket(128, 1, i));
    server.Await("reading to pause", [](const NetLib_Stats& stats) { return stats.ReceivesPaused != 0; });
    TestClient silent(server.Port());
    silent.Send(HeaderOf(5));
    server.Await("the silent one to be closed",
                 [](const NetLib_Stats& stats) { return stats.Closed[NetLib_CloseReason_IdleTimeout] != 0; });
    EXPECT_EQ(server.Stats().Closed[NetLib_CloseReason_IdleTimeout], 1u);
    uint32_t received = 0;
    uint32_t closes = 0;
    while (closes < 2) {
        NetLib_Message message{};
        uint32_t count = 0;
        ASSERT_EQ(NetLib_Poll(server.Get(), &message, 1, PatienceMilliseconds, &count), NetLib_Result_Success);
        ASSERT_EQ(count, 1u);
        received += message.Type == NetLib_MessageType_OnRecv && message.Size == 128;
        closes += message.Type == NetLib_MessageType_Close;
    }
    EXPECT_EQ(received, 10u) << "it is closed for its silence afterwards, with nothing lost";
}

// So many packets of a second's share, and how long they take at least.
struct RateCase {
    int32_t PacketsPerSecond;
    int32_t BytesPerSecond;
};

class RateLimited : public testing::TestWithParam<RateCase> {};

TEST_P(RateLimited, AFloodArrivesWholeAndSlowly)
{
    using Clock = std::chrono::steady_clock;
    constexpr uint32_t Packets = 120; // of 20 bytes: 20 at once, the others at 200 a second
    NetLib_Config config = SmallConfig();
    config.MaxPacketsPerSecond = GetParam().PacketsPerSecond;
    config.MaxBytesPerSecond = GetParam().BytesPerSecond;
    config.RateBurstMilliseconds = 100;
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Warn);
    TestServer server(config);
    TestClient flooder(server.Port());
    const NetLib_ConnectionId flooderId = server.Next(NetLib_MessageType_Connection).Id;
    TestClient other(server.Port());
    const NetLib_ConnectionId otherId = server.Next(NetLib_MessageType_Connection).Id;
    const auto begin = Clock::now();
    const Bytes all = NumberedPackets(Packets);
    flooder.Send(all);
    flooder.EndSending();
    other.Send(NumberedPacket(20, 2, 0));
    bool isOtherServed = false;
    for (uint32_t received = 0; received < Packets || !isOtherServed;) {
        const Event event = server.Next(NetLib_MessageType_OnRecv);
        if (event.Id == otherId) {
            EXPECT_LT(received, Packets) << "the flood comes first";
            isOtherServed = true;
            continue;
        }
        ASSERT_EQ(event.Id, flooderId);
        ASSERT_EQ(event.Data, NumberedPacket(20, 1, received++)) << "nothing is lost, and the order holds";
    }
    // A lower bound, and so no matter of how fast the machine is: 120 - 1 - 20 packets at 200 a second.
    EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(495 - 5));
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PeerClosed)
        << "the end does not overtake what waits";
    EXPECT_NE(server.Stats().ReceivesThrottled, 0u);
    EXPECT_EQ(log.Count("is read more slowly"), 1u) << "once a connection";
}

INSTANTIATE_TEST_SUITE_P(PacketsAndBytes, RateLimited, testing::Values(RateCase{200, 0}, RateCase{0, 4000}));

// One packet an hour: whatever is served is served for another reason.
NetLib_Config AlmostNothing()
{
    NetLib_Config config = SmallConfig();
    config.MaxBytesPerSecond = 1;
    config.RateBurstMilliseconds = 20;
    return config;
}

TEST(RateLimit, AStopDeliversWhatWaitsForItsTurn)
{
    TestServer server(AlmostNothing());
    TestClient client(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    Bytes all = NumberedPackets(10);
    all.push_back(std::byte{20}); // and the beginning of one more
    client.Send(all);
    server.Await("everything to be received",
                 [&all](const NetLib_Stats& stats) { return stats.BytesReceived == all.size(); });
    EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
    for (uint32_t i = 0; i < 10; ++i)
        ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, i));
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_ServerStop);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_EQ(server.Stats().BytesReceivedDiscarded, 1u);
}

TEST(RateLimit, AThrottledClientCanBeDisconnected)
{
    TestServer server(AlmostNothing());
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    client.Send(NumberedPacket(20, 1, 0));
    client.Send(NumberedPacket(20, 1, 1));
    (void)server.Next(NetLib_MessageType_OnRecv);
    server.Await("the client to be throttled", [](const NetLib_Stats& stats) { return stats.ReceivesThrottled != 0; });
    EXPECT_EQ(server.Disconnect(id), NetLib_Result_Success);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_Logic);
    server.Release();
    EXPECT_TRUE(client.EndsInOrder());
    client.Close();
    server.Await("its place to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.BytesReceived, 40u);
    EXPECT_EQ(stats.BytesReceivedDiscarded, 20u);
}

// An empty message pool and a rate limit at once: each waits for its own, and no packet takes its share twice.
TEST(RateLimit, TogetherWithAnEmptyPool)
{
    NetLib_Config config = SmallConfig();
    config.MaxMessagePoolCount = 1;
    config.ExtraMessagePoolCount = 0;
    config.MaxPacketsPerSecond = 1000;
    config.RateBurstMilliseconds = 20;
    TestServer server(config);
    TestClient client(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    for (uint32_t i = 0; i < 200; ++i)
        client.Send(NumberedPacket(20, 1, i));
    client.EndSending();
    for (uint32_t i = 0; i < 200; ++i)
        ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, i));
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PeerClosed);
}

} // namespace
} // namespace NetLib::Test
