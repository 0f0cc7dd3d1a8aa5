// How connections end.
#include <gtest/gtest.h>

#include "TestServer.h"

namespace NetLib::Test {
namespace {

class Violation : public testing::TestWithParam<uint16_t> {};

// Packets before the violation are served, and what is queued for the client is sent before the end.
TEST_P(Violation, AnswersThenEnd)
{
    const uint16_t length = GetParam();
    NetLib_Config config = SmallConfig();
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Warn);
    TestServer server(config);
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;

    const Bytes good = NumberedPacket(30, 1, 1);
    Bytes stream = good;
    const Bytes bad = HeaderOf(length);
    stream.insert(stream.end(), bad.begin(), bad.end());
    stream.resize(stream.size() + 100, std::byte{7}); // what follows is not looked at
    client.Send(stream);

    const Event packet = server.Next(NetLib_MessageType_OnRecv);
    EXPECT_EQ(packet.Data, good);
    EXPECT_EQ(server.Send(id, packet.Data), NetLib_Result_Success);
    const Event close = server.Next(NetLib_MessageType_Close);
    const auto reason =
        length < NETLIB_PACKET_HEADER_LENGTH ? NetLib_CloseReason_PacketTooShort : NetLib_CloseReason_PacketTooLong;
    EXPECT_EQ(close.Id, id);
    EXPECT_EQ(close.Reason, reason);
    EXPECT_EQ(server.Send(id, good), NetLib_Result_Success) << "the Close was not given back yet";
    // Closing a socket that has unread bytes resets the connection, and could take the answers with it.
    client.Send(Bytes(20'000));
    EXPECT_TRUE(server.HasNothing());
    EXPECT_EQ(server.Send(id, good), NetLib_Result_ReservedSendPacketBufferNotConnected);
    EXPECT_EQ(client.ReceivePacket(), good);
    EXPECT_EQ(client.ReceivePacket(), good);
    EXPECT_TRUE(client.EndsInOrder());
    EXPECT_EQ(server.Stats().Closed[reason], 1u);
    EXPECT_EQ(log.Count(client.LocalAddress()), 1u) << "one line, which names the peer";
}

INSTANTIATE_TEST_SUITE_P(Lengths, Violation, testing::Values(0, 1, 2, 3, 4, 257, 1000, 65535));

// A client that does not read loses its connection, with a reason; another one on the same worker is served meanwhile.
TEST(ServerClose, SlowReaderIsClosedAlone)
{
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = 1;
    TestServer server(config);
    TestClient slow(server.Port());
    const NetLib_ConnectionId slowId = server.Next(NetLib_MessageType_Connection).Id;
    TestClient quick(server.Port());
    const NetLib_ConnectionId quickId = server.Next(NetLib_MessageType_Connection).Id;

    const Bytes much = NumberedPacket(8192, 1, 1);
    uint32_t queued = 0;
    NetLib_Result result = NetLib_Result_Success;
    for (; result == NetLib_Result_Success && queued < 100'000; ++queued) {
        result = server.Send(slowId, much);
        if (queued % 50 == 0) {
            ASSERT_EQ(server.Send(quickId, NumberedPacket(20, 2, queued)), NetLib_Result_Success);
            ASSERT_EQ(quick.ReceivePacket(), NumberedPacket(20, 2, queued));
        }
    }
    EXPECT_EQ(result, NetLib_Result_ReservedSendPacketBufferEmptyBuffer);
    EXPECT_EQ(server.Send(slowId, much), NetLib_Result_ReservedSendPacketBufferNotConnected);
    const Event close = server.Next(NetLib_MessageType_Close);
    EXPECT_EQ(close.Id, slowId);
    EXPECT_EQ(close.Reason, NetLib_CloseReason_SendBufferFull);
    slow.ReceiveToEnd();
    ASSERT_EQ(server.Send(quickId, much), NetLib_Result_Success);
    EXPECT_EQ(quick.Receive(much.size()), much);
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.SendsDropped[NetLib_SendDrop_BufferFull], 1u);
    EXPECT_EQ(stats.SendsDropped[NetLib_SendDrop_NotConnected], 1u);
    EXPECT_EQ(stats.Closed[NetLib_CloseReason_SendBufferFull], 1u);
}

// The client ends its sending side and still gets what is sent until the Close is given back.
TEST(ServerClose, HalfClosedClientGetsItsAnswers)
{
    TestServer server(SmallConfig());
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    const Bytes packet = NumberedPacket(100, 1, 1);
    client.Send(packet);
    client.Send(HeaderOf(50)); // begun, and never to be ended
    client.EndSending();
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, packet);
    const Event close = server.Next(NetLib_MessageType_Close);
    EXPECT_EQ(close.Reason, NetLib_CloseReason_PeerClosed);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(server.Send(id, packet), NetLib_Result_Success);
    EXPECT_TRUE(server.HasNothing());
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(client.ReceivePacket(), packet);
    EXPECT_TRUE(client.EndsInOrder());
}

TEST(ServerClose, ResetIsToldOnce)
{
    TestServer server(SmallConfig());
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    client.Reset();
    const Event close = server.Next(NetLib_MessageType_Close);
    EXPECT_EQ(close.Id, id);
    EXPECT_EQ(close.Reason, NetLib_CloseReason_PeerReset);
    server.Release();
    server.Await("the slot to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
    EXPECT_TRUE(server.HasNothing());
}

// Logic's wish: what was queued arrives, and a second wish or a late send reaches nobody, also not the next client in
// the slot.
TEST(ServerClose, DisconnectThenTheNextClient)
{
    NetLib_Config config = SmallConfig();
    config.MaxConnectionCount = 1;
    TestServer server(config);
    const Bytes packet = NumberedPacket(60, 1, 1);
    NetLib_ConnectionId last = 0;
    for (int turn = 0; turn < 5; ++turn) {
        TestClient client(server.Port());
        const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
        EXPECT_NE(id, last);
        EXPECT_EQ(static_cast<uint32_t>(id), 0u) << "there is one slot";
        if (last != 0) {
            EXPECT_EQ(server.Disconnect(last), NetLib_Result_Success);
            EXPECT_EQ(server.Send(last, packet), NetLib_Result_ReservedSendPacketBufferNotConnected);
        }
        EXPECT_EQ(server.Send(id, packet), NetLib_Result_Success);
        EXPECT_EQ(server.Disconnect(id), NetLib_Result_Success);
        EXPECT_EQ(server.Disconnect(id), NetLib_Result_Success);
        EXPECT_EQ(server.Send(id, packet), NetLib_Result_ReservedSendPacketBufferNotConnected);
        EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_Logic);
        EXPECT_TRUE(server.HasNothing());
        EXPECT_EQ(client.ReceivePacket(), packet);
        EXPECT_TRUE(client.EndsInOrder());
        client.Close();
        server.Await("the slot to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
        last = id;
    }
    EXPECT_EQ(server.Stats().ConnectionsRefused, 0u);
}

// A client that has got everything and does not end does not keep its slot until CloseTimeoutMilliseconds.
TEST(ServerClose, SilentClientIsGivenUp)
{
    NetLib_Config config = SmallConfig();
    config.CloseTimeoutMilliseconds = 600'000;
    TestServer server(config);
    TestClient client(server.Port());
    EXPECT_EQ(server.Disconnect(server.Next(NetLib_MessageType_Connection).Id), NetLib_Result_Success);
    (void)server.Next(NetLib_MessageType_Close);
    server.Release();
    server.Await("the slot to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
    EXPECT_EQ(server.Stats().CloseTimeouts, 0u) << "nothing was left to send";
    EXPECT_EQ(client.ReceiveToEnd(), 0u);
}

// A client that neither reads nor ends is cut off after CloseTimeoutMilliseconds, and what it did not get is counted.
TEST(ServerClose, CloseTimeout)
{
    NetLib_Config config = SmallConfig();
    config.CloseTimeoutMilliseconds = 50;
    config.ConnectionMaxSendBufferSize = 64 << 20; // more than the system takes
    TestServer server(config);
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    const Bytes much(60 << 20);
    EXPECT_EQ(server.Send(id, much), NetLib_Result_Success);
    EXPECT_EQ(server.Disconnect(id), NetLib_Result_Success);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_Logic);
    server.Release();
    server.Await("the client to be cut off", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.CloseTimeouts, 1u);
    EXPECT_GT(stats.BytesDiscardedOnClose, 0u);
    EXPECT_EQ(stats.BytesDiscardedOnClose + stats.BytesSent, much.size());
    EXPECT_LT(client.ReceiveToEnd(), much.size());
}

} // namespace
} // namespace NetLib::Test
