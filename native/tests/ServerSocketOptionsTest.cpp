// The options of the server's own sockets, read back from the system. Linux only: there a descriptor can be found by the
// address of its peer.
#include <gtest/gtest.h>

#include "IocpNetLib.h"
#include "TestClient.h"
#include "TestServer.h"

#if defined(__linux__)

#  include <algorithm>
#  include <netinet/tcp.h>
#  include <optional>
#  include <string>
#  include <sys/resource.h>
#  include <sys/socket.h>

#  include "io/Socket.h"

namespace NetLib::Test {
namespace {

// The server's end of the connection whose other end is at address.
std::optional<int> FindPeerOf(const std::string& address)
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    for (int descriptor = 0; descriptor < static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 65536)); ++descriptor) {
        sockaddr_storage peer{};
        socklen_t length = sizeof(peer);
        if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) == 0 &&
            SocketAddress(reinterpret_cast<const sockaddr*>(&peer), length).Text().data() == address)
            return descriptor;
    }
    return std::nullopt;
}

int OptionOf(int descriptor, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(getsockopt(descriptor, level, option, &value, &length), 0);
    return value;
}

class SocketOptions : public testing::TestWithParam<bool> {};

TEST_P(SocketOptions, AreWhatTheConfigSays)
{
    NetLib_Config config = SmallConfig();
    config.NoDelay = GetParam() ? 1 : 0;
    config.KeepAliveIdleSeconds = GetParam() ? 7 : 0;
    config.KeepAliveIntervalSeconds = 3;
    config.KeepAliveCount = 2;
    TestServer server(config);
    const TestClient client(server.Port());
    server.Await("the connection", [](const NetLib_Stats& stats) { return stats.ConnectionsAccepted == 1; });
    // The options are set before the Connection is published.
    NetLib_Message message;
    uint32_t count = 0;
    ASSERT_EQ(NetLib_Poll(server.Get(), &message, 1, 10'000, &count), NetLib_Result_Success);
    ASSERT_EQ(count, 1u);
    const auto descriptor = FindPeerOf(client.LocalAddress());
    ASSERT_TRUE(descriptor.has_value());
    EXPECT_EQ(OptionOf(*descriptor, IPPROTO_TCP, TCP_NODELAY), GetParam());
    EXPECT_EQ(OptionOf(*descriptor, SOL_SOCKET, SO_KEEPALIVE), GetParam());
    EXPECT_EQ(OptionOf(*descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 << 10);
    if (GetParam()) {
        EXPECT_EQ(OptionOf(*descriptor, IPPROTO_TCP, TCP_KEEPIDLE), 7);
        EXPECT_EQ(OptionOf(*descriptor, IPPROTO_TCP, TCP_KEEPINTVL), 3);
        EXPECT_EQ(OptionOf(*descriptor, IPPROTO_TCP, TCP_KEEPCNT), 2);
        EXPECT_EQ(OptionOf(*descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT), 13'000);
    }
}

INSTANTIATE_TEST_SUITE_P(OnAndOff, SocketOptions, testing::Bool());

} // namespace
} // namespace NetLib::Test

#endif
