// Whole servers under load, while other threads call everything that any thread may call.
#include <atomic>
#include <deque>
#include <thread>

#include <gtest/gtest.h>

#include "TestServer.h"

namespace NetLib::Test {
namespace {

// Calls what other threads may call, until it ends. Their results matter elsewhere; here they must do no harm.
class Meddlers {
public:
    explicit Meddlers(NetLib_Server* server)
    {
        m_Threads.emplace_back([this, server] {
            NetLib_Stats stats{};
            while (!m_IsOver) {
                stats.StructSize = sizeof(stats);
                (void)NetLib_GetStats(server, &stats);
                (void)NetLib_GetPort(server);
                (void)NetLib_WakePoll(server);
                std::this_thread::yield();
            }
        });
        m_Threads.emplace_back([this, server] {
            Random random(1);
            const uint8_t payload[100] = {};
            while (!m_IsOver) {
                // Ids that no client has here, and of slots that there are not.
                NetLib_ConnectionId receivers[20];
                for (NetLib_ConnectionId& id : receivers)
                    id = (uint64_t{random.Between(1000, 2000)} << 32) | random.Between(0, 80);
                NetLib_Op op{};
                op.Type = random.Between(NetLib_Op_Send, NetLib_Op_Disconnect);
                op.ConnectionId = receivers[0];
                op.PayloadSize = random.Between(1, 100);
                op.ReceiverCount = 20;
                (void)NetLib_Submit(server, &op, 1, payload, sizeof(payload), receivers, 20);
                (void)NetLib_SendPacket(server, receivers[1], reinterpret_cast<const char*>(payload), 10);
                std::this_thread::yield();
            }
        });
    }
    Meddlers(const Meddlers&) = delete;
    Meddlers& operator=(const Meddlers&) = delete;
    ~Meddlers()
    {
        m_IsOver = true;
        for (std::thread& thread : m_Threads)
            thread.join();
    }

private:
    std::atomic<bool> m_IsOver{false};
    std::vector<std::thread> m_Threads;
};

class Traffic : public testing::TestWithParam<int32_t> {};

TEST_P(Traffic, EveryEchoIsItsPacket)
{
    constexpr uint32_t Clients = 12;
    constexpr uint32_t Packets = 150;
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = GetParam();
    // Less of everything than is in flight.
    config.ConnectionMaxRecvBufferSize = config.MaxPacketSize + 50;
    config.MaxRecvOverlappedBufferSize = 200;
    config.MaxMessagePoolCount = 2;
    config.ExtraMessagePoolCount = 1;
    TestServer server(config);
    auto echo = StartEcho(server, 5);
    {
        const Meddlers meddlers(server.Get());
        std::vector<std::future<void>> clients;
        for (uint32_t i = 0; i < Clients; ++i) {
            clients.push_back(std::async(std::launch::async, [&server, i] {
                // More than one connection for each, so that slots are used again under traffic.
                for (uint32_t turn = 0; turn < 3; ++turn) {
                    TestClient client(server.Port());
                    PumpEchoes(client, i * 10 + turn, Packets / 3, 8, 256);
                    if (turn == 1)
                        client.Reset();
                }
            }));
        }
        for (auto& client : clients)
            client.get();
    }
    server.Await("all connections to end", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.ConnectionsAccepted, 3u * Clients);
    EXPECT_EQ(stats.PacketsReceived, Clients * Packets);
    EXPECT_EQ(stats.PacketsSent, Clients * Packets);
    EXPECT_EQ(stats.BytesReceived, stats.BytesSent);
    EXPECT_EQ(stats.MessagesInUse, 0u);
    EXPECT_EQ(stats.Closed[NetLib_CloseReason_PeerClosed] + stats.Closed[NetLib_CloseReason_PeerReset], 3u * Clients);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    const EchoTotals totals = echo.get();
    EXPECT_EQ(totals.Connections, 3u * Clients);
    EXPECT_EQ(totals.Closes, 3u * Clients);
    EXPECT_EQ(totals.Packets, Clients * Packets);
}

INSTANTIATE_TEST_SUITE_P(Workers, Traffic, testing::Values(0, 1, 2, 3, 4));

// What is submitted while an earlier send has not been reported must not wait for something else to happen. A broadcast
// and a send lie in different memory, so they leave as two sends, the second of which begins when the first is reported:
// behind the submission that comes now.
TEST(ServerTraffic, NothingWaitsBehindASendThatIsReportedLate)
{
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = 0;
    TestServer server(config);
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    TestClient other(server.Port());
    const NetLib_ConnectionId otherId = server.Next(NetLib_MessageType_Connection).Id;
    uint64_t sent = 0;
    for (uint32_t number = 0; number < 20; ++number) {
        ASSERT_EQ(server.Broadcast({id, otherId}, NumberedPacket(30, 2, number)), NetLib_Result_Success);
        ASSERT_EQ(server.Send(id, NumberedPacket(40, 3, number)), NetLib_Result_Success);
        ASSERT_TRUE(server.HasNothing()); // a poll that does not wait
        ASSERT_EQ(server.Send(id, NumberedPacket(50, 4, number)), NetLib_Result_Success);
        NetLib_Message message{};
        uint32_t count = 0;
        ASSERT_EQ(NetLib_Poll(server.Get(), &message, 1, 5, &count), NetLib_Result_Success);
        ASSERT_EQ(count, 0u);
        sent += 30 + 30 + 40 + 50;
        ASSERT_EQ(server.Stats().BytesSent, sent) << "in round " << number;
        (void)client.Receive(30 + 40 + 50);
        (void)other.Receive(30);
    }
}

// Several threads send to the same connections: packets stay whole, and those of one thread in order.
TEST(ServerTraffic, ManyThreadsSendToOneConnection)
{
    constexpr uint32_t Senders = 3;
    constexpr uint32_t Packets = 200;
    constexpr uint32_t Size = 20;
    NetLib_Config config = SmallConfig();
    config.ConnectionMaxSendBufferSize = Senders * Packets * Size;
    TestServer server(config);
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    std::vector<std::future<void>> senders;
    for (uint32_t sender = 0; sender < Senders; ++sender) {
        senders.push_back(std::async(std::launch::async, [&server, id, sender] {
            for (uint32_t i = 0; i < Packets; ++i) {
                if (server.Send(id, NumberedPacket(Size, sender, i)) != NetLib_Result_Success)
                    throw std::runtime_error("not sent");
            }
        }));
    }
    std::vector<uint32_t> next(Senders);
    for (uint32_t i = 0; i < Senders * Packets; ++i) {
        const Bytes packet = client.ReceivePacket();
        bool isNext = false;
        for (uint32_t sender = 0; sender < Senders && !isNext; ++sender) {
            isNext = next[sender] < Packets && packet == NumberedPacket(Size, sender, next[sender]);
            next[sender] += isNext;
        }
        ASSERT_TRUE(isNext) << "packet " << i << " is nobody's next one";
    }
    for (auto& sender : senders)
        sender.get();
}

// Connections that come and go as fast as they can, with and without data, on every worker.
TEST(ServerTraffic, ConnectionsComeAndGo)
{
    constexpr uint32_t Threads = 4;
    constexpr uint32_t Turns = 40;
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = 3;
    TestServer server(config);
    auto echo = StartEcho(server);
    std::vector<std::future<void>> threads;
    for (uint32_t thread = 0; thread < Threads; ++thread) {
        threads.push_back(std::async(std::launch::async, [&server, thread] {
            Random random(thread);
            for (uint32_t turn = 0; turn < Turns; ++turn) {
                TestClient client(server.Port());
                if (random.OneIn(3))
                    continue;
                client.Send(NumberedPacket(random.Between(5, 256), thread, turn));
                if (random.OneIn(3))
                    client.Reset();
                else if (random.OneIn(2))
                    (void)client.ReceivePacket();
            }
        }));
    }
    for (auto& thread : threads)
        thread.get();
    // A client that came and went before it was accepted need not be told of; one that was told of must be told to end.
    EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
    const EchoTotals totals = echo.get();
    EXPECT_EQ(totals.Connections, totals.Closes);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.ConnectionsAccepted, totals.Connections);
    EXPECT_EQ(stats.ConnectionsCurrent, 0u);
    EXPECT_EQ(stats.MessagesInUse, 0u);
}

} // namespace
} // namespace NetLib::Test
