// Connections that proxies make: whose they are is told by a PROXY header.
#include <algorithm>
#include <cstring>
#include <deque>
#include <future>
#include <numeric>
#include <string>
#include <vector>

#include "ProxyTestFixture.h"

namespace NetLib::Test {
namespace {

INSTANTIATE_TEST_SUITE_P(Workers, ServerProxy, testing::Values(0, 2));

// A header that tells of a client, with two packets in the same piece.
TEST_P(ServerProxy, TheClientsAddressIsTold)
{
    const Bytes fields = Joined({Tlv(0x04, Bytes(700)), Tlv(0x01, BytesOf("h2"))});
    const std::pair<Bytes, std::string> headers[] = {
        {BytesOf(Line), LineClient},
        {BytesOf("PROXY TCP6 2001:db8::7 2001:db8::1 51234 443\r\n"), "[2001:db8::7]:51234"},
        {BytesOf("PROXY TCP6 ::ffff:203.0.113.7 ::1 51234 443\r\n"), LineClient},
        {BinaryHeader(0x21, 0x11, Addresses4()), LineClient},
        {BinaryHeader(0x21, 0x21, Addresses6()), "[2001:db8::7]:51234"},
        {BinaryHeader(0x21, 0x11, Joined({Addresses4(), fields})), LineClient},
    };
    LogLines log;
    NetLib_Config config = ProxyConfig();
    log.AttachTo(config, NetLib_LogLevel_Debug);
    TestServer server(config);
    uint64_t bytes = 0;
    for (const auto& [header, address] : headers) {
        TestClient client(server.Port());
        const Bytes all = Joined({header, NumberedPacket(20, 1, 1), NumberedPacket(256, 1, 2)});
        bytes += all.size();
        client.Send(all);
        const Event connection = server.Next(NetLib_MessageType_Connection);
        EXPECT_EQ(TextOf(connection), address);
        const Event packet = server.Next(NetLib_MessageType_OnRecv);
        EXPECT_EQ(packet.Id, connection.Id);
        EXPECT_EQ(packet.Data, NumberedPacket(20, 1, 1));
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(256, 1, 2));
        EXPECT_EQ(server.Send(connection.Id, packet.Data), NetLib_Result_Success);
        (void)server.HasNothing();
        EXPECT_EQ(client.ReceivePacket(), packet.Data);
        EXPECT_EQ(log.ConnectionsOf("accepted from " + client.LocalAddress()), std::vector{connection.Id});
        EXPECT_EQ(log.ConnectionsOf(address + " is proxied by " + client.LocalAddress()), std::vector{connection.Id});
        client.Close();
        EXPECT_EQ(server.Next(NetLib_MessageType_Close).Id, connection.Id);
        const auto ended = log.ConnectionsOf("from " + address + " ends: closed by peer");
        EXPECT_EQ(std::count(ended.begin(), ended.end(), connection.Id), 1);
    }
    AwaitEnd(server);
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.BytesReceived, bytes);
    EXPECT_EQ(stats.BytesReceivedDiscarded, 0u);
    EXPECT_EQ(stats.PacketsReceived, 2 * std::size(headers));
    EXPECT_EQ(stats.ConnectionsAccepted, std::size(headers));
    EXPECT_TRUE(log.AreWellFormed());
}

TEST_P(ServerProxy, TheProxysOwnAddressIsTold)
{
    TestServer server(ProxyConfig());
    for (const Bytes& header :
         {BytesOf("PROXY UNKNOWN\r\n"), BytesOf("PROXY UNKNOWN 203.0.113.7 192.0.2.1 51234 443\r\n"),
          BinaryHeader(0x20, 0x00, {}), BinaryHeader(0x20, 0x11, Addresses4()), BinaryHeader(0x21, 0x00, Bytes(30)),
          BinaryHeader(0x21, 0x31, Bytes(216)), BinaryHeader(0x21, 0x12, Addresses4())}) {
        TestClient client(server.Port());
        client.Send(Joined({header, NumberedPacket(20, 1, 1)}));
        const Event connection = server.Next(NetLib_MessageType_Connection);
        EXPECT_EQ(TextOf(connection), client.LocalAddress());
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, 1));
        client.Close();
        EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PeerClosed);
    }
}

// Neither the pieces that it comes in matter, nor that the ring is smaller than it.
TEST_P(ServerProxy, ByteByByteIntoATinyRing)
{
    NetLib_Config config = ProxyConfig();
    MakeTiny(config);
    TestServer server(config);
    uint64_t bytes = 0;
    uint64_t told = 0;
    for (const Bytes& header : {BytesOf(Line), BinaryHeader(0x21, 0x11, Joined({Addresses4(), Tlv(4, Bytes(100))}))}) {
        TestClient client(server.Port());
        for (const std::byte byte : std::span(header).first(header.size() - 1)) {
            client.Send({&byte, 1});
            AwaitBytes(server, ++bytes); // and nothing is told
        }
        EXPECT_EQ(server.Stats().ConnectionsAccepted, told);
        client.Send({&header.back(), 1});
        EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
        for (uint32_t number = 0; number < 20; ++number) {
            client.Send(NumberedPacket(5, 1, number));
            ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(5, 1, number));
        }
        // All at once, too.
        TestClient other(server.Port());
        other.Send(Joined({header, NumberedPacket(5, 1, 1), NumberedPacket(5, 1, 2)}));
        EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(5, 1, 1));
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(5, 1, 2));
        client.Close();
        (void)server.Next(NetLib_MessageType_Close);
        other.Close();
        (void)server.Next(NetLib_MessageType_Close);
        bytes += 1 + 20 * 5 + header.size() + 10;
        told += 2;
        EXPECT_EQ(server.Stats().ConnectionsAccepted, told);
        EXPECT_EQ(server.Stats().BytesReceived, bytes);
    }
}

// Logic hears nothing of it, the client sees an end in order, and its place is free for the next one.
TEST_P(ServerProxy, AnInvalidHeaderEndsTheConnection)
{
    const std::pair<Bytes, const char*> headers[] = {
        {NumberedPacket(20, 1, 1), "it does not begin with one"},
        {BytesOf("GET / HTTP/1.1\r\n"), "it does not begin with one"},
        {BytesOf("PROXY TCP4 203.0.113.7 192.0.2.1 51234\r\n"), "not a protocol, two addresses and two ports"},
        {BytesOf("PROXY TCP4 203.0.113.7 192.0.2.1 51234 70000\r\n"), "not a port from 0 to 65535"},
        {BytesOf("PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\n"), "a line that does not end with CR LF"},
        {BytesOf("PROXY " + std::string(300, 'x')), "a line of more than 107 bytes"},
        {BinaryHeader(0x11, 0x11, Addresses4()), "a version other than 1 and 2"},
        {BinaryHeader(0x21, 0x21, Addresses4()), "shorter than its addresses"},
        {BinaryHeader(0x21, 0x11, Joined({Addresses4(), Tlv(3, Bytes(4))})), "wrong checksum"},
    };
    LogLines log;
    NetLib_Config config = ProxyConfig();
    config.MaxConnectionCount = 1;
    log.AttachTo(config, NetLib_LogLevel_Warn);
    TestServer server(config);
    {
        TestClient good(server.Port()); // whose place the others get
        good.Send(BytesOf(Line));
        EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
        good.Close();
        EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PeerClosed);
        server.Release();
        AwaitEnd(server);
    }
    uint64_t ended = 0;
    uint64_t bytes = 0;
    for (const auto& [header, text] : headers) {
        TestClient client(server.Port());
        const std::string address = client.LocalAddress();
        client.Send(Joined({header, NumberedPacket(20, 1, 1)}));
        ++ended;
        bytes += header.size() + 20;
        Await(server, "the end", [ended](const NetLib_Stats& stats) {
            return stats.Closed[NetLib_CloseReason_ProxyHeaderInvalid] == ended;
        });
        EXPECT_TRUE(server.HasNothing());
        EXPECT_TRUE(client.EndsInOrder());
        client.Close();
        AwaitEnd(server);
        EXPECT_EQ(log.Count("from " + address + " ends: protocol violation: no valid PROXY header: " + text), 1u)
            << text;
    }
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.ConnectionsAccepted, 1u);
    EXPECT_EQ(stats.ConnectionsRefused, 0u);
    EXPECT_EQ(stats.PacketsReceived, 0u);
    EXPECT_EQ(stats.BytesReceived, bytes + std::strlen(Line));
    EXPECT_EQ(stats.BytesReceivedDiscarded, bytes);
    EXPECT_EQ(log.Count(""), std::size(headers)) << "one line each";

    TestClient client(server.Port());
    client.Send(BytesOf(Line));
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
    EXPECT_EQ(server.Stats().ConnectionsAccepted, 2u);
}

// A second header is no packet.
TEST_P(ServerProxy, OneHeaderOnly)
{
    TestServer server(ProxyConfig());
    TestClient client(server.Port());
    client.Send(Joined({BytesOf(Line), BytesOf(Line)}));
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_PacketTooLong);
}

TEST_P(ServerProxy, EndsBeforeItsHeaderIsComplete)
{
    TestServer server(ProxyConfig());
    const Bytes header = BytesOf(Line);
    const std::span<const std::byte> most = std::span(header).first(header.size() - 1);
    TestClient(server.Port()).Close(); // as a health check does
    Await(server, "the end of the first one",
          [](const NetLib_Stats& stats) { return stats.Closed[NetLib_CloseReason_PeerClosed] == 1; });
    TestClient half(server.Port());
    half.Send(most);
    AwaitBytes(server, most.size());
    half.EndSending();
    Await(server, "the end of the second one",
          [](const NetLib_Stats& stats) { return stats.Closed[NetLib_CloseReason_PeerClosed] == 2; });
    EXPECT_TRUE(half.EndsInOrder());
    TestClient resetter(server.Port());
    resetter.Send(most);
    AwaitBytes(server, 2 * most.size());
    resetter.Reset();
    // Wine may tell of a reset as of an end in order.
    Await(server, "the end of the third one", [](const NetLib_Stats& stats) {
        return stats.Closed[NetLib_CloseReason_PeerReset] + stats.Closed[NetLib_CloseReason_PeerClosed] == 3;
    });
    AwaitEnd(server);
    const NetLib_Stats stats = server.Stats();
    EXPECT_EQ(stats.ConnectionsAccepted, 0u);
    EXPECT_EQ(stats.BytesReceivedDiscarded, 2 * most.size());
}

// Its time begins with the accept, whether the header comes or not; and it may be set later.
TEST_P(ServerProxy, FirstPacketTimeout)
{
    NetLib_Config config = ProxyConfig();
    config.FirstPacketTimeoutMilliseconds = 200;
    TestServer server(config);
    TestClient silent(server.Port());
    TestClient half(server.Port());
    half.Send(BytesOf(HalfLine));
    Await(server, "both to be closed",
          [](const NetLib_Stats& stats) { return stats.Closed[NetLib_CloseReason_FirstPacketTimeout] == 2; });
    EXPECT_TRUE(silent.EndsInOrder());
    EXPECT_TRUE(half.EndsInOrder());
    silent.Close();
    half.Close();
    AwaitEnd(server);
    EXPECT_EQ(server.Stats().ConnectionsAccepted, 0u);

    TestClient whole(server.Port());
    whole.Send(BytesOf(Line));
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
    EXPECT_EQ(server.Next(NetLib_MessageType_Close).Reason, NetLib_CloseReason_FirstPacketTimeout);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);

    config.FirstPacketTimeoutMilliseconds = 0;
    server.Start(config);
    TestClient later(server.Port());
    later.Send(BytesOf(HalfLine));
    AwaitBytes(server, 10);
    NetLib_Limits limits{};
    limits.StructSize = sizeof(limits);
    limits.FirstPacketTimeoutMilliseconds = 100;
    limits.RateBurstMilliseconds = 20;
    EXPECT_EQ(NetLib_SetLimits(server.Get(), &limits, nullptr, 0), NetLib_Result_Success);
    Await(server, "it to be closed",
          [](const NetLib_Stats& stats) { return stats.Closed[NetLib_CloseReason_FirstPacketTimeout] == 1; });
    AwaitEnd(server);
}

// A header takes no share of the rate: with one byte a second the packet behind it would come in minutes.
TEST_P(ServerProxy, RatesAreOfPackets)
{
    NetLib_Config config = ProxyConfig();
    config.MaxBytesPerSecond = 1;
    config.MaxPacketsPerSecond = 1;
    config.RateBurstMilliseconds = 20;
    TestServer server(config);
    TestClient client(server.Port());
    client.Send(Joined({BinaryHeader(0x21, 0x11, Joined({Addresses4(), Tlv(4, Bytes(1000))})), HeaderOf(5)}));
    (void)server.Next(NetLib_MessageType_Connection);
    EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, HeaderOf(5));
    EXPECT_EQ(server.Stats().ReceivesThrottled, 0u);
}

// Nothing is told of those whose header is not complete, and they keep nobody from the end.
TEST_P(ServerProxy, StopInTheMiddleOfAHeader)
{
    TestServer server;
    for (const bool hasTold : {false, true}) {
        server.Start(ProxyConfig());
        std::deque<TestClient> clients;
        for (int i = 0; i < 4; ++i)
            clients.emplace_back(server.Port()).Send(BytesOf(HalfLine));
        AwaitBytes(server, 40);
        NetLib_ConnectionId told = 0;
        if (hasTold) {
            clients.emplace_back(server.Port()).Send(BytesOf(Line));
            told = server.Next(NetLib_MessageType_Connection).Id;
        }
        EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
        if (hasTold) {
            const Event close = server.Next(NetLib_MessageType_Close);
            EXPECT_EQ(close.Id, told);
            EXPECT_EQ(close.Reason, NetLib_CloseReason_ServerStop);
        }
        NetLib_Message message{};
        uint32_t count = 0;
        EXPECT_EQ(NetLib_Poll(server.Get(), &message, 1, NETLIB_WAIT_INFINITE, &count), NetLib_Result_Stopped);
        EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
        for (TestClient& client : clients)
            EXPECT_EQ(client.ReceiveToEnd(), 0u);
        const NetLib_Stats stats = server.Stats();
        EXPECT_EQ(stats.Closed[NetLib_CloseReason_ServerStop], hasTold ? 5u : 4u);
        EXPECT_EQ(stats.ConnectionsAccepted, hasTold ? 1u : 0u);
        EXPECT_EQ(stats.ConnectionsCurrent, 0u);
    }
    // Without BeginStop, and by Destroy.
    for (const bool isDestroyed : {false, true}) {
        server.Start(ProxyConfig());
        TestClient client(server.Port());
        client.Send(BytesOf(HalfLine));
        AwaitBytes(server, 10);
        if (isDestroyed)
            break;
        EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
        EXPECT_EQ(client.ReceiveToEnd(), 0u);
        EXPECT_EQ(server.Stats().ConnectionsCurrent, 0u);
    }
}

// Who is there when accepting ends may still tell who it is.
TEST_P(ServerProxy, AHeaderThatIsCompleteAfterAcceptingEnded)
{
    TestServer server(ProxyConfig());
    TestClient client(server.Port());
    const Bytes header = BytesOf(Line);
    client.Send(std::span(header).first(10));
    AwaitBytes(server, 10);
    EXPECT_EQ(NetLib_StopAccepting(server.Get()), NetLib_Result_Success);
    client.Send(std::span(header).subspan(10));
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
}

// Headers that come in pieces while the server stops: each connection is told of as a whole or not at all, and the stop
// is told when all that were are closed.
TEST_P(ServerProxy, StopsUnderTraffic)
{
    TestServer server;
    for (uint32_t cycle = 0; cycle < 30; ++cycle) {
        server.Start(ProxyConfig());
        auto echo = StartEcho(server);
        std::vector<std::future<void>> clients;
        for (uint32_t i = 0; i < 3; ++i) {
            clients.push_back(std::async(std::launch::async, [port = server.Port(), i, cycle] {
                Random random(cycle * 8 + i);
                const Bytes header = BytesOf(Line);
                try {
                    for (;;) {
                        TestClient client(port);
                        const size_t cut = random.Between(0, static_cast<uint32_t>(header.size()));
                        client.Send(std::span(header).first(cut));
                        if (random.OneIn(4))
                            continue;
                        if (random.OneIn(4)) {
                            client.Reset();
                            continue;
                        }
                        client.Send(std::span(header).subspan(cut));
                        PumpEchoes(client, i, random.Between(1, 3), 2, 100);
                    }
                } catch (const std::runtime_error& error) {
                    if (std::string(error.what()).find("echo") != std::string::npos)
                        throw;
                }
            }));
        }
        server.Await("traffic", [cycle](const NetLib_Stats& stats) { return stats.PacketsSent > cycle; });
        EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
        const EchoTotals totals = echo.get();
        EXPECT_EQ(totals.Connections, totals.Closes);
        EXPECT_EQ(totals.Connections, server.Stats().ConnectionsAccepted);
        EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
        for (auto& client : clients)
            EXPECT_NO_THROW(client.get());
        const NetLib_Stats stats = server.Stats();
        EXPECT_EQ(stats.ConnectionsCurrent, 0u);
        EXPECT_EQ(totals.Connections, stats.ConnectionsAccepted);
        EXPECT_LE(stats.ConnectionsAccepted,
                  std::accumulate(std::begin(stats.Closed), std::end(stats.Closed), uint64_t{0}));
        ASSERT_FALSE(HasFailure()) << "cycle " << cycle;
    }
}

// On the socket for both, an IPv4 client has a mapped address.
TEST_P(ServerProxy, SourcesOfBothFamilies)
{
    NetLib_Config config = ProxyConfig();
    std::strcpy(config.BindAddress, "");
    config.ProxySources = "127.0.0.1";
    TestServer server(config);
    TestClient listed(server.Port());
    listed.Send(BytesOf(Line));
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
    if (!HasIPv6())
        GTEST_SKIP() << "no IPv6 on this machine";
    TestClient other(server.Port(), "::1");
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), other.LocalAddress());
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);

    config.ProxySources = "::1";
    server.Start(config);
    TestClient listed6(server.Port(), "::1");
    listed6.Send(BytesOf(Line));
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
    TestClient other4(server.Port());
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), other4.LocalAddress());
}

TEST(ServerProxyStart, ABadSourceIsNamed)
{
    NetLib_Config config = SmallConfig();
    config.ProxySources = "127.0.0.1, 10.0.0.0/33";
    TestServer server;
    char error[200];
    EXPECT_EQ(NetLib_Start(server.Get(), &config, error, sizeof(error)), 100);
    EXPECT_STREQ(error, "ProxySources contains \"10.0.0.0/33\": the length of an IPv4 prefix is 0 to 32");
    EXPECT_EQ(server.Port(), 0);
}

// The text may go when the start has returned.
TEST(ServerProxyStart, SourcesAreRead)
{
    NetLib_Config config = SmallConfig();
    std::string sources = "127.0.0.1";
    config.ProxySources = sources.c_str();
    TestServer server(config);
    std::fill(sources.begin(), sources.end(), 'x');
    config.ProxySources = nullptr;
    TestClient client(server.Port());
    client.Send(BytesOf(Line));
    EXPECT_EQ(TextOf(server.Next(NetLib_MessageType_Connection)), LineClient);
}

} // namespace
} // namespace NetLib::Test
