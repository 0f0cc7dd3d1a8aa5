// What the tests of proxies' connections share.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "ProxyHeaders.h"
#include "TestServer.h"

namespace NetLib::Test {

// 203.0.113.7 and the others are for documentation only (RFC 5737): nobody who connects here has such an address.
inline constexpr const char* Line = "PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\n";
inline constexpr const char* LineClient = "203.0.113.7:51234";
inline constexpr const char* HalfLine = "PROXY TCP4"; // 10 bytes

inline std::string TextOf(const Event& event)
{
    return {reinterpret_cast<const char*>(event.Data.data()), event.Data.size()};
}

class ServerProxy : public testing::TestWithParam<int32_t> {
protected:
    // This machine is a proxy's.
    static NetLib_Config ProxyConfig()
    {
        NetLib_Config config = DirectConfig();
        config.ProxySources = "127.0.0.0/8, ::1";
        return config;
    }
    // The proxies are elsewhere.
    static NetLib_Config DirectConfig()
    {
        NetLib_Config config = SmallConfig();
        config.WorkThreadCount = GetParam();
        config.ProxySources = "192.0.2.0/24";
        return config;
    }
    // As little as there may be of everything that a header could need.
    static void MakeTiny(NetLib_Config& config)
    {
        config.MaxPacketSize = config.ConnectionMaxRecvBufferSize = 5;
        config.MaxRecvOverlappedBufferSize = 3;
    }
    // The same as TestServer::Await, and logic, which without I/O threads does the I/O, polls meanwhile and takes
    // nothing.
    static void Await(const TestServer& server, const std::string& what,
                      const std::function<bool(const NetLib_Stats&)>& condition)
    {
        server.Await(what, [&](const NetLib_Stats& stats) {
            if (!server.HasNothing())
                throw std::runtime_error("a message, while waiting: " + what);
            return condition(stats);
        });
    }
    static void AwaitEnd(const TestServer& server)
    {
        Await(server, "all places to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 0; });
    }
    static void AwaitBytes(const TestServer& server, uint64_t bytes)
    {
        Await(server, "the bytes", [bytes](const NetLib_Stats& stats) { return stats.BytesReceived == bytes; });
    }
};

} // namespace NetLib::Test
