#include "NetConfig.h"

#include <array>
#include <cstring>

#include <gtest/gtest.h>

namespace NetLib::Test {
namespace {

constexpr int32_t MiB = 1 << 20;

// A config in which every field may go to its limits without making another one wrong.
NetLib_Config WideConfig()
{
    NetLib_Config config{};
    NetLib_DefaultConfig(&config);
    config.ConnectionMaxRecvBufferSize = 16 * MiB;
    config.ConnectionMaxSendBufferSize = 64 * MiB;
    config.MaxRecvOverlappedBufferSize = 1;
    config.MaxSendOverlappedBufferSize = 1;
    return config;
}

struct Field {
    const char* Name;
    int32_t NetLib_Config::*Member;
    int32_t Min;
    int32_t Max;
    int32_t Result; // the number of the original library's NetResult, written out: the names could change
};

constexpr std::array Fields{
    Field{"WorkThreadCount", &NetLib_Config::WorkThreadCount, 0, 64, 32},
    Field{"PortNumber", &NetLib_Config::PortNumber, 0, 65535, 33},
    Field{"MaxRecvOverlappedBufferSize", &NetLib_Config::MaxRecvOverlappedBufferSize, 1, 16 * MiB, 34},
    Field{"MaxSendOverlappedBufferSize", &NetLib_Config::MaxSendOverlappedBufferSize, 1, 64 * MiB, 35},
    Field{"ConnectionMaxRecvBufferSize", &NetLib_Config::ConnectionMaxRecvBufferSize, 1024, 16 * MiB, 36},
    Field{"ConnectionMaxSendBufferSize", &NetLib_Config::ConnectionMaxSendBufferSize, 1024, 64 * MiB, 37},
    Field{"MaxPacketSize", &NetLib_Config::MaxPacketSize, 5, 65535, 38},
    Field{"MaxConnectionCount", &NetLib_Config::MaxConnectionCount, 1, 1'000'000, 39},
    Field{"MaxMessagePoolCount", &NetLib_Config::MaxMessagePoolCount, 1, 16'777'216, 40},
    Field{"ExtraMessagePoolCount", &NetLib_Config::ExtraMessagePoolCount, 0, 16'777'216, 41},
    Field{"PostMessagesThreadsCount", &NetLib_Config::PostMessagesThreadsCount, 1, 1, 43},
    Field{"CloseTimeoutMilliseconds", &NetLib_Config::CloseTimeoutMilliseconds, 0, 600'000, 100},
    Field{"FirstPacketTimeoutMilliseconds", &NetLib_Config::FirstPacketTimeoutMilliseconds, 0, 3'600'000, 100},
    Field{"IdleTimeoutMilliseconds", &NetLib_Config::IdleTimeoutMilliseconds, 0, 86'400'000, 100},
    Field{"KeepAliveIdleSeconds", &NetLib_Config::KeepAliveIdleSeconds, 0, 32'767, 100},
    Field{"KeepAliveIntervalSeconds", &NetLib_Config::KeepAliveIntervalSeconds, 1, 32'767, 100},
    Field{"KeepAliveCount", &NetLib_Config::KeepAliveCount, 1, 127, 100},
    Field{"MaxPacketsPerSecond", &NetLib_Config::MaxPacketsPerSecond, 0, 1'000'000, 100},
    Field{"MaxBytesPerSecond", &NetLib_Config::MaxBytesPerSecond, 0, 1 << 30, 100},
    Field{"RateBurstMilliseconds", &NetLib_Config::RateBurstMilliseconds, 20, 60'000, 100},
    Field{"NoDelay", &NetLib_Config::NoDelay, 0, 1, 100},
    Field{"IoBackend", &NetLib_Config::IoBackend, 0, 3, 100},
    Field{"MinLogLevel", &NetLib_Config::MinLogLevel, 0, 5, 100},
};

void ExpectRejected(const NetLib_Config& config, int32_t result, const std::string& name, int32_t value)
{
    const auto checked = CheckConfig(config);
    ASSERT_FALSE(checked) << name << " " << value;
    EXPECT_EQ(checked.error().Result, result) << name << " " << value;
    EXPECT_NE(checked.error().Text.find(name), std::string::npos) << checked.error().Text;
    EXPECT_NE(checked.error().Text.find(std::to_string(value)), std::string::npos) << checked.error().Text;
}

TEST(NetConfig, EveryFieldAtItsBorders)
{
    for (const Field& field : Fields) {
        for (const int32_t good : {field.Min, field.Max}) {
            NetLib_Config config = WideConfig();
            config.*field.Member = good;
            const auto checked = CheckConfig(config);
            EXPECT_TRUE(checked) << field.Name << " " << good << ": " << checked.error().Text;
        }
        for (const int32_t bad : {field.Min - 1, field.Max + 1, INT32_MIN, INT32_MAX}) {
            NetLib_Config config = WideConfig();
            config.*field.Member = bad;
            ExpectRejected(config, field.Result, field.Name, bad);
        }
    }
}

TEST(NetConfig, PerformancePeriod)
{
    for (const int32_t good : {0, 100, 86'400'000}) {
        NetLib_Config config = WideConfig();
        config.PerformancePacketMillisecondsTime = good;
        EXPECT_TRUE(CheckConfig(config)) << good;
    }
    for (const int32_t bad : {-1, 1, 99, 86'400'001, INT32_MIN, INT32_MAX}) {
        NetLib_Config config = WideConfig();
        config.PerformancePacketMillisecondsTime = bad;
        ExpectRejected(config, 42, "PerformancePacketMillisecondsTime", bad);
    }
}

// The largest packet must fit both rings, and one operation must not ask for more than its ring has.
TEST(NetConfig, SizesThatDependOnEachOther)
{
    NetLib_Config config = WideConfig();
    config.MaxPacketSize = 65535;
    config.ConnectionMaxRecvBufferSize = 65534;
    ExpectRejected(config, 36, "ConnectionMaxRecvBufferSize", 65534);
    config.ConnectionMaxRecvBufferSize = 65535;
    config.ConnectionMaxSendBufferSize = 65534;
    ExpectRejected(config, 37, "ConnectionMaxSendBufferSize", 65534);
    config.ConnectionMaxSendBufferSize = 65535;
    EXPECT_TRUE(CheckConfig(config));
    config.MaxRecvOverlappedBufferSize = 65536;
    ExpectRejected(config, 34, "MaxRecvOverlappedBufferSize", 65536);
    config.MaxRecvOverlappedBufferSize = 65535;
    config.MaxSendOverlappedBufferSize = 65536;
    ExpectRejected(config, 35, "MaxSendOverlappedBufferSize", 65536);
    config.MaxSendOverlappedBufferSize = 65535;
    EXPECT_TRUE(CheckConfig(config));
}

TEST(NetConfig, StructSize)
{
    for (const auto bad : {size_t{0}, sizeof(NetLib_Config) - 1, sizeof(NetLib_Config) + 1}) {
        NetLib_Config config = WideConfig();
        config.StructSize = static_cast<uint32_t>(bad);
        ExpectRejected(config, 100, "StructSize", static_cast<int32_t>(bad));
    }
}

TEST(NetConfig, BindAddressMustEnd)
{
    NetLib_Config config = WideConfig();
    std::memset(config.BindAddress, '1', sizeof(config.BindAddress));
    auto checked = CheckConfig(config);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().Result, 107);
    config.BindAddress[sizeof(config.BindAddress) - 1] = '\0';
    checked = CheckConfig(config);
    ASSERT_TRUE(checked); // what it says is for Start to find out
    EXPECT_EQ(checked->BindAddress.size(), sizeof(config.BindAddress) - 1);
}

TEST(NetConfig, CheckedValuesAreTheGivenOnes)
{
    NetLib_Config config{};
    NetLib_DefaultConfig(&config);
    config.PortNumber = 65535;
    config.WorkThreadCount = 2;
    config.MaxRecvOverlappedBufferSize = 3000;
    config.MaxSendOverlappedBufferSize = 4000;
    config.ConnectionMaxRecvBufferSize = 5000;
    config.ConnectionMaxSendBufferSize = 6000;
    config.MaxPacketSize = 700;
    config.MaxConnectionCount = 8;
    config.MaxMessagePoolCount = 9;
    config.ExtraMessagePoolCount = 10;
    config.PerformancePacketMillisecondsTime = 1100;
    config.CloseTimeoutMilliseconds = 1200;
    config.NoDelay = 0;
    std::strcpy(config.BindAddress, "::1");
    const auto checked = CheckConfig(config);
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->PortNumber, 65535);
    EXPECT_EQ(checked->WorkThreadCount, 2u);
    EXPECT_EQ(checked->MaxRecvOverlappedBufferSize, 3000u);
    EXPECT_EQ(checked->MaxSendOverlappedBufferSize, 4000u);
    EXPECT_EQ(checked->ConnectionMaxRecvBufferSize, 5000u);
    EXPECT_EQ(checked->ConnectionMaxSendBufferSize, 6000u);
    EXPECT_EQ(checked->MaxPacketSize, 700u);
    EXPECT_EQ(checked->MaxConnectionCount, 8u);
    EXPECT_EQ(checked->MaxMessagePoolCount, 9u);
    EXPECT_EQ(checked->ExtraMessagePoolCount, 10u);
    EXPECT_EQ(checked->PerformancePacketMillisecondsTime.count(), 1100);
    EXPECT_EQ(checked->CloseTimeout.count(), 1200);
    EXPECT_FALSE(checked->NoDelay);
    EXPECT_EQ(checked->BindAddress, "::1");
}

} // namespace
} // namespace NetLib::Test
