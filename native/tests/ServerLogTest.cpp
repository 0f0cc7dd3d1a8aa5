// The log callback: it gets lines, and from nowhere that must not log.
#include <thread>

#include <gtest/gtest.h>

#include "TestServer.h"

namespace NetLib::Test {
namespace {

// Everything that has a line, with every call that must not make one from inside.
TEST(ServerLog, NeverFromInsideACall)
{
    NetLib_Config config = SmallConfig();
    config.MaxConnectionCount = 4;
    config.MaxMessagePoolCount = 2;
    config.ExtraMessagePoolCount = 1;
    config.PerformancePacketMillisecondsTime = 100;
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Trace);
    TestServer server(config);
    auto echo = StartEcho(server); // its calls are quiet ones
    {
        TestClient violator(server.Port());
        violator.Send(HeaderOf(3));
        EXPECT_TRUE(violator.EndsInOrder());
        TestClient talker(server.Port());
        PumpEchoes(talker, 1, 100, 20, 256);
        TestClient resetter(server.Port());
        // One that has gone before it is accepted need not be told to logic.
        server.Await("the third one", [](const NetLib_Stats& stats) { return stats.ConnectionsAccepted == 3; });
        resetter.Send(HeaderOf(100));
        resetter.Reset();
    }
    server.Await("the clients to go", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
    {
        std::vector<TestClient> clients;
        for (int i = 0; i < 4; ++i)
            clients.emplace_back(server.Port());
        server.Await("all to be accepted", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 4; });
        EXPECT_EQ(TestClient(server.Port()).ReceiveToEnd(), 0u);
        server.Await("a performance line", [&log](const NetLib_Stats&) { return log.Count("performance:") != 0; });
        const QuietCall quiet;
        (void)server.Stats();
        EXPECT_EQ(NetLib_WakePoll(server.Get()), NetLib_Result_Success);
        EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
    }
    EXPECT_EQ(echo.get().Connections, 7u);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_EQ(log.FromInsideCalls(), std::vector<std::string>());
    EXPECT_TRUE(log.AreWellFormed());
    EXPECT_EQ(log.Count("I/O threads"), 1u) << "what it listens on";
    EXPECT_EQ(log.Count("stopped listening"), 1u);
    EXPECT_EQ(log.Count("accepted from"), 7u);
    EXPECT_EQ(log.Count("ends: "), 7u);
    EXPECT_EQ(log.Count("PacketLength under 5"), 1u);
    EXPECT_GE(log.Count("connections refused"), 1u);
}

TEST(ServerLog, LevelIsALimit)
{
    NetLib_Config config = SmallConfig();
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Warn);
    TestServer server(config);
    {
        TestClient client(server.Port());
        (void)server.Next(NetLib_MessageType_Connection);
        client.Send(HeaderOf(0));
        EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PacketTooShort);
    }
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_EQ(log.Count(""), 1u) << "only the warning";
    EXPECT_EQ(log.Count("PacketLength under 5"), 1u);
}

// A start that fails says why in its error; the log stays empty.
TEST(ServerLog, NothingOfAFailedStart)
{
    NetLib_Config config = SmallConfig();
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Trace);
    config.MaxPacketSize = 1;
    TestServer server;
    EXPECT_THROW(server.Start(config), std::runtime_error);
    EXPECT_EQ(log.Count("listening"), 0u);
    EXPECT_EQ(log.Count(""), 0u);
}

} // namespace
} // namespace NetLib::Test
