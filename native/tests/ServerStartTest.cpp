// Starting: where it listens, and what it says when it cannot.
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "TestServer.h"

namespace NetLib::Test {
namespace {

void SetAddress(NetLib_Config& config, const char* address)
{
    std::snprintf(config.BindAddress, sizeof(config.BindAddress), "%s", address);
}

TEST(ServerStart, PortInUse)
{
    TestServer first(SmallConfig());
    NetLib_Config config = SmallConfig();
    config.PortNumber = first.Port();
    TestServer second;
    const size_t descriptors = CountOpenDescriptors();
    for (int attempt = 0; attempt < 3; ++attempt) {
        char error[200];
        EXPECT_EQ(NetLib_Start(second.Get(), &config, error, sizeof(error)), 47);
        EXPECT_NE(std::string(error).find("127.0.0.1:" + std::to_string(first.Port())), std::string::npos) << error;
        EXPECT_EQ(second.Port(), 0);
        EXPECT_EQ(CountOpenDescriptors(), descriptors);
    }
    // The first one is not disturbed, and when it goes the second one can have the port.
    TestClient client(first.Port());
    (void)first.Next(NetLib_MessageType_Connection);
    EXPECT_EQ(NetLib_Stop(first.Get(), 0), NetLib_Result_Success);
    client.ReceiveToEnd();
    second.Start(config);
    EXPECT_EQ(second.Port(), config.PortNumber);
    TestClient again(second.Port());
    (void)second.Next(NetLib_MessageType_Connection);
}

TEST(ServerStart, AddressOfAnotherMachine)
{
    NetLib_Config config = SmallConfig();
    SetAddress(config, "192.0.2.1"); // for documentation only: nobody has it
    TestServer server;
    char error[200];
    EXPECT_EQ(NetLib_Start(server.Get(), &config, error, sizeof(error)), 47);
    EXPECT_NE(std::string(error).find("192.0.2.1"), std::string::npos) << error;
}

TEST(ServerStart, WrongAddresses)
{
    for (const char* address : {"localhost", "127.0.0", "127.0.0.1:80", "[::1]", "::1::", " ", "1.2.3.4.5"}) {
        NetLib_Config config = SmallConfig();
        SetAddress(config, address);
        TestServer server;
        char error[200];
        EXPECT_EQ(NetLib_Start(server.Get(), &config, error, sizeof(error)), 107) << address;
        EXPECT_NE(std::string(error).find(address), std::string::npos) << error;
    }
}

class LowestLimits : public testing::TestWithParam<int32_t> {};

TEST_P(LowestLimits, AreEnough)
{
    NetLib_Config config = SmallConfig();
    config.WorkThreadCount = GetParam();
    config.MaxPacketSize = 5;
    config.ConnectionMaxRecvBufferSize = 5;
    config.ConnectionMaxSendBufferSize = 5;
    config.MaxRecvOverlappedBufferSize = 1;
    config.MaxSendOverlappedBufferSize = 1;
    config.MaxConnectionCount = 1;
    config.MaxMessagePoolCount = 1;
    config.ExtraMessagePoolCount = 0;
    config.CloseTimeoutMilliseconds = 0;
    TestServer server(config);
    auto echo = StartEcho(server, 1);
    {
        TestClient client(server.Port());
        PumpEchoes(client, 1, 50, 1, 5);
    }
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_EQ(echo.get().Packets, 50u);
}

INSTANTIATE_TEST_SUITE_P(Workers, LowestLimits, testing::Values(0, 1));

void ExpectEcho(const char* bindAddress, const char* host, const char* prefix)
{
    NetLib_Config config = SmallConfig();
    SetAddress(config, bindAddress);
    TestServer server(config);
    TestClient client(server.Port(), host);
    const Event connection = server.Next(NetLib_MessageType_Connection);
    const auto* const text = reinterpret_cast<const char*>(connection.Data.data());
    const std::string address(text, connection.Data.size());
    EXPECT_EQ(address.find(prefix), 0u) << address;
    const Bytes packet = NumberedPacket(77, 1, 1);
    client.Send(packet);
    EXPECT_EQ(server.Send(connection.Id, server.Next(NetLib_MessageType_OnRecv).Data), NetLib_Result_Success);
    EXPECT_EQ(client.ReceivePacket(), packet);
}

TEST(ServerStart, IPv4) { ExpectEcho("127.0.0.1", "127.0.0.1", "127.0.0.1:"); }
TEST(ServerStart, IPv4OnEveryAddress) { ExpectEcho("", "127.0.0.1", "127.0.0.1:"); }

TEST(ServerStart, IPv6)
{
    if (!HasIPv6())
        GTEST_SKIP() << "no IPv6 on this machine";
    ExpectEcho("::1", "::1", "[::1]:");
    ExpectEcho("", "::1", "[::1]:"); // the same socket as IPv4's
}

TEST(ServerStart, StartsOnce)
{
    TestServer server(SmallConfig());
    const uint16_t port = server.Port();
    const NetLib_Config config = SmallConfig();
    EXPECT_EQ(NetLib_Start(server.Get(), &config, nullptr, 0), NetLib_Result_AlreadyStarted);
    EXPECT_EQ(server.Port(), port);
}

} // namespace
} // namespace NetLib::Test
