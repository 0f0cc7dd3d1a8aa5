// Stop works from any state, gives everything back, and can be followed by a start.
#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include <gtest/gtest.h>

#include "TestServer.h"

namespace NetLib::Test {
namespace {

void ExpectStopped(const TestServer& server)
{
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(server.Port(), 0);
    EXPECT_EQ(stats.ConnectionsCurrent, 0u);
    EXPECT_EQ(stats.MessagesInUse, 0u);
    NetLib_Message message{};
    uint32_t count = 1;
    EXPECT_EQ(NetLib_Poll(server.Get(), &message, 1, NETLIB_WAIT_INFINITE, &count), NetLib_Result_NotStarted);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_NotStarted);
}

// A state that a server can be stopped in: what is done before, with some clients that are connected.
struct State {
    const char* Name;
    void (*Reach)(const TestServer& server, std::deque<TestClient>& clients);
};

void PrintTo(const State& state, std::ostream* stream) { *stream << state.Name; }

std::vector<NetLib_ConnectionId> TakeConnections(const TestServer& server, const std::deque<TestClient>& clients)
{
    std::vector<NetLib_ConnectionId> ids;
    while (ids.size() < clients.size())
        ids.push_back(server.Next(NetLib_MessageType_Connection).Id);
    return ids;
}

const State States[] = {
    {"NothingTaken", [](const TestServer&, std::deque<TestClient>&) {}},
    {"NobodyConnected", [](const TestServer&, std::deque<TestClient>& clients) { clients.clear(); }},
    {"Connected",
     [](const TestServer& server, std::deque<TestClient>& clients) { (void)TakeConnections(server, clients); }},
    {"PacketsNotTaken",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         for (TestClient& client : clients)
             client.Send(NumberedPacket(100, 1, 1));
         server.Await("the packets", [](const NetLib_Stats& stats) { return stats.PacketsReceived == 4; });
     }},
    {"PacketsHeld",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         (void)TakeConnections(server, clients);
         clients[0].Send(NumberedPacket(100, 1, 1));
         (void)server.Next(NetLib_MessageType_OnRecv);
         clients[1].Send(HeaderOf(100));
     }},
    {"ReadingPausedByThePool",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         // No client's packets fill its ring, but together they are more than the pool.
         for (TestClient& client : clients) {
             for (uint32_t i = 0; i < 40; ++i)
                 client.Send(NumberedPacket(6, 1, i));
         }
         server.Await("the pool to be empty",
                      [](const NetLib_Stats& stats) { return stats.MessagePoolExhausted != 0; });
     }},
    {"ReadingPausedByTheRing",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         for (uint32_t i = 0; i < 10; ++i)
             clients[0].Send(NumberedPacket(256, 1, i));
         server.Await("the ring to be full", [](const NetLib_Stats& stats) { return stats.ReceivesPaused != 0; });
     }},
    {"CloseNotTaken",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         (void)TakeConnections(server, clients);
         clients[0].Reset();
         clients[1].Close();
         clients[2].Send(HeaderOf(1));
         server.Await("the closes", [](const NetLib_Stats& stats) {
             return stats.Closed[NetLib_CloseReason_PeerReset] + stats.Closed[NetLib_CloseReason_PeerClosed] +
                        stats.Closed[NetLib_CloseReason_PacketTooShort] ==
                    3;
         });
     }},
    {"CloseHeld",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         (void)TakeConnections(server, clients);
         clients[0].Close();
         (void)server.Next(NetLib_MessageType_Close);
     }},
    {"SendsQueued",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         for (const NetLib_ConnectionId id : TakeConnections(server, clients)) {
             while (server.Send(id, Bytes(8000)) == NetLib_Result_Success) {
             }
         }
     }},
    {"Disconnecting",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         for (const NetLib_ConnectionId id : TakeConnections(server, clients))
             EXPECT_EQ(server.Disconnect(id), NetLib_Result_Success);
     }},
    {"BeginStopped",
     [](const TestServer& server, std::deque<TestClient>& clients) {
         clients[0].Send(NumberedPacket(100, 1, 1));
         EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
         EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
     }},
};

class StopFrom : public testing::TestWithParam<State> {};

TEST_P(StopFrom, GivesEverythingBack)
{
    const size_t descriptors = CountOpenDescriptors();
    {
        TestServer server;
        for (const int32_t drain : {0, 20}) {
            server.Start(SmallConfig());
            std::deque<TestClient> clients;
            for (int i = 0; i < 4; ++i)
                clients.emplace_back(server.Port());
            GetParam().Reach(server, clients);
            EXPECT_EQ(NetLib_Stop(server.Get(), drain), NetLib_Result_Success);
            ExpectStopped(server);
        }
        // Destroy does the same.
        server.Start(SmallConfig());
        std::deque<TestClient> clients;
        for (int i = 0; i < 4; ++i)
            clients.emplace_back(server.Port());
        GetParam().Reach(server, clients);
    }
    EXPECT_EQ(CountOpenDescriptors(), descriptors);
}

INSTANTIATE_TEST_SUITE_P(AnyState, StopFrom, testing::ValuesIn(States),
                         [](const auto& info) { return std::string(info.param.Name); });

// A poll that waits on another thread ends, whichever call it is and whoever stops.
TEST(ServerStop, EndsAPollThatWaits)
{
    TestServer server;
    for (int turn = 0; turn < 20; ++turn) {
        server.Start(SmallConfig());
        std::atomic<bool> polls{false};
        auto poll = std::async(std::launch::async, [&] {
            NetLib_Message message{};
            uint32_t count = 0;
            int8_t type = 0;
            polls = true;
            return turn % 2 == 0 ? NetLib_Poll(server.Get(), &message, 1, NETLIB_WAIT_INFINITE, &count)
                                 : NetLib_GetNetworkMessage(server.Get(), &type, &message.ConnectionId, nullptr, 0,
                                                            &count, NETLIB_WAIT_INFINITE);
        });
        while (!polls)
            std::this_thread::yield();
        EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
        // A poll that came after the stop finds no server; one that waited is told of the stop.
        const NetLib_Result result = poll.get();
        EXPECT_TRUE(result == NetLib_Result_Stopped || result == NetLib_Result_NotStarted) << result;
    }
}

// Everything that any thread may call, over starts and stops: no call hangs, crashes or says what it must not.
TEST(ServerStop, CallsFromOtherThreadsMeanwhile)
{
    TestServer server;
    std::atomic<bool> isOver{false};
    const auto repeat = [&isOver](auto call) {
        return std::async(std::launch::async, [&isOver, call] {
            while (!isOver) {
                call();
                std::this_thread::yield();
            }
        });
    };
    const auto expect = [](NetLib_Result result, std::initializer_list<NetLib_Result> allowed) {
        if (std::find(allowed.begin(), allowed.end(), result) == allowed.end())
            throw std::runtime_error("result " + std::to_string(result));
    };
    std::vector<std::future<void>> threads;
    threads.push_back(repeat([&] { (void)server.Stats(); }));
    threads.push_back(repeat([&] {
        expect(server.Send(uint64_t{1} << 32, Bytes(5)),
               {NetLib_Result_Success, NetLib_Result_NotStarted, NetLib_Result_ReservedSendPacketBufferNotConnected});
        expect(server.Disconnect(7), {NetLib_Result_Success, NetLib_Result_NotStarted});
    }));
    threads.push_back(repeat([&] {
        NetLib_Message messages[4];
        uint32_t count = 0;
        expect(NetLib_Poll(server.Get(), messages, 4, 1, &count),
               {NetLib_Result_Success, NetLib_Result_NotStarted, NetLib_Result_Stopped});
    }));
    threads.push_back(repeat([&] {
        expect(NetLib_WakePoll(server.Get()), {NetLib_Result_Success, NetLib_Result_NotStarted});
        (void)NetLib_GetPort(server.Get());
    }));
    for (int turn = 0; turn < 30; ++turn) {
        server.Start(SmallConfig());
        TestClient client(server.Port());
        client.Send(NumberedPacket(10, 1, 1));
        if (turn % 3 == 0) {
            EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
        }
        EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    }
    isOver = true;
    for (auto& thread : threads)
        EXPECT_NO_THROW(thread.get());
}

TEST(ServerStop, ManyStopsAtOnce)
{
    TestServer server;
    for (int turn = 0; turn < 10; ++turn) {
        server.Start(SmallConfig());
        std::vector<std::future<NetLib_Result>> stops;
        for (int i = 0; i < 3; ++i)
            stops.push_back(std::async(std::launch::async, [&] { return NetLib_Stop(server.Get(), 0); }));
        int stopped = 0;
        for (auto& stop : stops) {
            const NetLib_Result result = stop.get();
            EXPECT_TRUE(result == NetLib_Result_Success || result == NetLib_Result_NotStarted) << result;
            stopped += result == NetLib_Result_Success;
        }
        EXPECT_EQ(stopped, 1);
    }
}

// A hundred runs of one server under traffic: each client gets whole echoes until the end, ids never come again, and
// nothing is left behind.
TEST(ServerStop, HundredCyclesUnderTraffic)
{
    const size_t descriptors = CountOpenDescriptors();
    {
        TestServer server;
        for (uint32_t cycle = 0; cycle < 100; ++cycle) {
            NetLib_Config config = SmallConfig();
            config.WorkThreadCount = static_cast<int32_t>(1 + cycle % 3);
            server.Start(config);
            const bool isOrderly = cycle % 2 == 0;
            auto echo = isOrderly ? StartEcho(server) : StartCopyingEcho(server);
            std::vector<std::future<void>> clients;
            for (uint32_t i = 0; i < 3; ++i) {
                clients.push_back(std::async(std::launch::async, [port = server.Port(), i] {
                    try {
                        TestClient client(port);
                        PumpEchoes(client, i, 1'000'000, 6, 100); // far more than there is time for
                    } catch (const std::runtime_error& error) {
                        if (std::string(error.what()).find("echo") != std::string::npos)
                            throw;
                    }
                }));
            }
            server.Await("traffic", [cycle](const NetLib_Stats& stats) { return stats.PacketsSent > cycle; });
            if (isOrderly) {
                EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
                const EchoTotals totals = echo.get();
                EXPECT_EQ(totals.Connections, totals.Closes);
            }
            EXPECT_EQ(NetLib_Stop(server.Get(), cycle % 4 == 0 ? 10 : 0), NetLib_Result_Success);
            for (auto& client : clients)
                EXPECT_NO_THROW(client.get());
            if (!isOrderly) {
                EXPECT_NO_THROW((void)echo.get());
            }
            EXPECT_EQ(server.Stats().ConnectionsCurrent, 0u) << "cycle " << cycle;
            EXPECT_EQ(server.Stats().MessagesInUse, 0u) << "cycle " << cycle;
            ASSERT_FALSE(HasFailure()) << "cycle " << cycle;
        }
    }
    EXPECT_EQ(CountOpenDescriptors(), descriptors);
}

// An id of an earlier run is never an id of a later one.
TEST(ServerStop, IdsAreUniqueOverRuns)
{
    NetLib_Config config = SmallConfig();
    config.MaxConnectionCount = 2;
    TestServer server;
    std::vector<NetLib_ConnectionId> ids;
    for (int run = 0; run < 5; ++run) {
        server.Start(config);
        for (int i = 0; i < 2; ++i) {
            TestClient client(server.Port());
            ids.push_back(server.Next(NetLib_MessageType_Connection).Id);
            client.Close();
            (void)server.Next(NetLib_MessageType_Close);
        }
        EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    }
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

// The connections that are there go on; nobody else comes in, neither before the stop nor while it is under way.
TEST(ServerStop, AfterAcceptingHasEnded)
{
    TestServer server(SmallConfig());
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    EXPECT_EQ(NetLib_StopAccepting(server.Get()), NetLib_Result_Success);
    EXPECT_EQ(NetLib_StopAccepting(server.Get()), NetLib_Result_Success);
    const uint16_t port = server.Port();
    EXPECT_NE(port, 0);
    // Until the worker has seen it somebody may still come in: such a client is told of, or closed and counted.
    for (bool isRefused = false; !isRefused;) {
        try {
            TestClient(port).Close();
        } catch (const std::runtime_error&) {
            isRefused = true;
        }
    }
    for (uint64_t i = 0; i < 2 * (server.Stats().ConnectionsAccepted - 1); ++i) {
        NetLib_Message message{};
        uint32_t count = 0;
        ASSERT_EQ(NetLib_Poll(server.Get(), &message, 1, PatienceMilliseconds, &count), NetLib_Result_Success);
        ASSERT_EQ(count, 1u);
    }
    client.Send(NumberedPacket(20, 1, 1));
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, 1));
    EXPECT_EQ(server.Send(id, NumberedPacket(20, 2, 1)), NetLib_Result_Success);
    EXPECT_EQ(client.ReceivePacket(), NumberedPacket(20, 2, 1));
    EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_ServerStop);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    ExpectStopped(server);
}

// What was queued before the stop is sent within the time that it gets, and the connection ends in order.
TEST(ServerStop, DrainsToAClientThatReads)
{
    NetLib_Config config = SmallConfig();
    config.ConnectionMaxSendBufferSize = 16 << 20;
    config.MaxSendOverlappedBufferSize = 64 << 10;
    TestServer server(config);
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    const Bytes much(12 << 20);
    EXPECT_EQ(server.Send(id, much), NetLib_Result_Success);
    auto stop = std::async(std::launch::async, [&] { return NetLib_Stop(server.Get(), PatienceMilliseconds); });
    EXPECT_EQ(client.Receive(much.size()), much);
    EXPECT_TRUE(client.EndsInOrder());
    client.Close();
    EXPECT_EQ(stop.get(), NetLib_Result_Success);
    EXPECT_EQ(server.Stats().BytesSent, much.size());
    EXPECT_EQ(server.Stats().BytesDiscardedOnClose, 0u);
}

} // namespace
} // namespace NetLib::Test
