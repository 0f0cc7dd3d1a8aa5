// PROXY headers from where none is expected, and what only looks like one.
#include <string>

#include "ProxyTestFixture.h"

namespace NetLib::Test {
namespace {

using namespace std::string_literals;

class ServerProxyRefused : public ServerProxy {};

INSTANTIATE_TEST_SUITE_P(Workers, ServerProxyRefused, testing::Values(0, 2));

TEST_P(ServerProxyRefused, HeadersAreRefused)
{
    for (const bool isTiny : {false, true}) {
        for (const char* sources : {static_cast<const char*>(nullptr), "192.0.2.0/24"}) {
            NetLib_Config config = DirectConfig();
            config.ProxySources = sources;
            if (isTiny)
                MakeTiny(config);
            LogLines log;
            log.AttachTo(config, NetLib_LogLevel_Warn);
            TestServer server(config);
            uint64_t ended = 0;
            for (const Bytes& header : {BytesOf(Line), BytesOf("PROXY "), BytesOf("PROXY nonsense"),
                                        BinaryHeader(0x21, 0x11, Addresses4()), BytesOf("\r\n\r\n\0\r\nQUIT\n"s)}) {
                TestClient client(server.Port());
                EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), client.LocalAddress())
                    << "it is told at once";
                client.Send(header);
                EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_ProxyHeaderNotAllowed);
                server.Release();
                (void)server.HasNothing(); // without I/O threads the end is made by a poll
                EXPECT_TRUE(client.EndsInOrder());
                EXPECT_EQ(server.Stats().Closed[NetLib_CloseReason_ProxyHeaderNotAllowed], ++ended);
                EXPECT_EQ(log.Count("from " + client.LocalAddress() +
                                    " ends: protocol violation: PROXY header from "
                                    "an address that is not in ProxySources"),
                          1u);
                client.Close();
                AwaitEnd(server);
            }
            EXPECT_EQ(server.Stats().BytesReceived, server.Stats().BytesReceivedDiscarded);
        }
    }
}

TEST_P(ServerProxyRefused, HeadersInPieces)
{
    NetLib_Config config = DirectConfig();
    MakeTiny(config);
    TestServer server(config);
    uint64_t bytes = 0;
    for (const Bytes& signature : {BytesOf("PROXY "), BytesOf("\r\n\r\n\0\r\nQUIT\n"s)}) {
        TestClient client(server.Port());
        (void)server.Next(NetLib_MessageType_Connection);
        for (const std::byte byte : std::span(signature).first(signature.size() - 1)) {
            client.Send({&byte, 1});
            AwaitBytes(server, ++bytes); // and nothing is told
        }
        client.Send({&signature.back(), 1});
        ++bytes;
        EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_ProxyHeaderNotAllowed);
        server.Release();
    }
}

// What begins like a signature and is none is what it would be without any of this.
TEST_P(ServerProxyRefused, OtherBytesAreFramedAsEver)
{
    const std::pair<std::string, int> streams[] = {
        {"PX", NetLib_CloseReason_PacketTooLong},
        {"PR!", NetLib_CloseReason_PacketTooLong},
        {"PROXY\t", NetLib_CloseReason_PacketTooLong},
        {"\r\r", NetLib_CloseReason_PacketTooLong},
        {"\r\n\r\n\0\r\nQUIT\r"s, NetLib_CloseReason_PacketTooLong},
        {"\r\n\r\n\r"s, NetLib_CloseReason_PacketTooLong},
        {"\r\0"s, NetLib_CloseReason_PeerClosed}, // an unfinished packet of 13 bytes
        {"\x03\0"s, NetLib_CloseReason_PacketTooShort},
        // The stream ends before it is decided.
        {"P", NetLib_CloseReason_PeerClosed},
        {"\r", NetLib_CloseReason_PeerClosed},
        {"PR", NetLib_CloseReason_PacketTooLong},
        {"PROXY", NetLib_CloseReason_PacketTooLong},
        {"\r\n", NetLib_CloseReason_PacketTooLong},
        {"\r\n\r\n\0\r\nQUIT"s, NetLib_CloseReason_PacketTooLong},
        {"PROXY ", NetLib_CloseReason_ProxyHeaderNotAllowed}, // whatever the one before began with
    };
    NetLib_Config config = DirectConfig();
    config.MaxConnectionCount = 1; // nothing of one client is left to the next one
    TestServer server(config);
    for (const bool isInPieces : {false, true}) {
        for (const auto& [text, reason] : streams) {
            TestClient client(server.Port());
            (void)server.Next(NetLib_MessageType_Connection);
            const Bytes stream = BytesOf(text);
            if (isInPieces) {
                const uint64_t before = server.Stats().BytesReceived;
                client.Send(std::span(stream).first(1));
                AwaitBytes(server, before + 1);
                client.Send(std::span(stream).subspan(1));
            } else {
                client.Send(stream);
            }
            client.EndSending();
            EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, reason) << text;
            client.Close();
            server.Release();
            AwaitEnd(server);
        }
    }
    EXPECT_EQ(server.Stats().BytesReceivedDiscarded, server.Stats().BytesReceived);
}

// However it ends: the packet that is too long came first.
TEST_P(ServerProxyRefused, AnEndWithinASignature)
{
    NetLib_Config config = DirectConfig();
    TestServer server(config);
    TestClient resetter(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    resetter.Send(BytesOf("PROX"));
    AwaitBytes(server, 4);
    resetter.Reset();
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PacketTooLong);
    TestClient stopped(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    stopped.Send(BytesOf("PROX"));
    AwaitBytes(server, 8);
    EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PacketTooLong);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);

    config.FirstPacketTimeoutMilliseconds = 100;
    server.Start(config);
    TestClient silent(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    silent.Send(BytesOf("\r\n"));
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PacketTooLong);
}

// Where packets may be that long, "PR" and CR LF are the lengths of good ones.
TEST_P(ServerProxyRefused, PacketsWhoseLengthLooksLikeASignature)
{
    NetLib_Config config = DirectConfig();
    config.MaxPacketSize = config.ConnectionMaxRecvBufferSize = config.ConnectionMaxSendBufferSize = 30'000;
    TestServer server(config);
    const auto packet = [](const std::string& begin) {
        Bytes bytes = BytesOf(begin);
        const auto length = std::to_integer<size_t>(bytes[0]) | std::to_integer<size_t>(bytes[1]) << 8;
        const Bytes rest = StreamBytes(1, length - bytes.size());
        bytes.insert(bytes.end(), rest.begin(), rest.end());
        return bytes;
    };
    for (const std::string& begin : {"PROXY!"s, "PRO"s, "\r\n\r\n\0\r\nQUIT!"s, "\r\n\r\n!"s}) {
        const Bytes whole = packet(begin);
        for (size_t cut = 0; cut <= begin.size(); ++cut) {
            TestClient client(server.Port());
            (void)server.Next(NetLib_MessageType_Connection);
            const uint64_t before = server.Stats().BytesReceived;
            client.Send(std::span(whole).first(cut));
            AwaitBytes(server, before + cut);
            client.Send(std::span(whole).subspan(cut));
            client.Send(whole); // and here the beginning is over
            ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, whole) << begin << ", cut at " << cut;
            ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, whole) << begin << ", cut at " << cut;
            client.Close();
            EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PeerClosed);
        }
    }
    // A signature is one nevertheless, but only at the beginning.
    TestClient proxy(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    proxy.Send(BytesOf(Line));
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_ProxyHeaderNotAllowed);
    TestClient client(server.Port());
    (void)server.Next(NetLib_MessageType_Connection);
    const Bytes late = packet("PROXY ");
    client.Send(Joined({HeaderOf(5), late}));
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, HeaderOf(5));
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, late);
}

} // namespace
} // namespace NetLib::Test
