#include "NetConfig.h"

#include <array>
#include <cstring>
#include <optional>
#include <span>

namespace NetLib {
namespace {

constexpr int32_t MiB = 1 << 20;
// Bytes of a connection that wait in the system and are not on their way yet: enough to keep a fast line busy until a
// worker's next turn (128 KiB are a millisecond at 1 Gbit/s), and little beside a send ring.
constexpr int SystemSendBound = 128 << 10;

struct Range {
    const char* Name;
    int32_t Value;
    int32_t Min;
    int32_t Max;
    NetLib_Result Result; // what it is called when the value is out of range
};

// The first one that is not in its range.
std::optional<StartError> FirstOutside(std::span<const Range> ranges)
{
    for (const Range& range : ranges) {
        if (range.Value < range.Min || range.Value > range.Max)
            return StartError{range.Result, std::string(range.Name) + " is " + std::to_string(range.Value) +
                                                ", allowed is " + std::to_string(range.Min) + " to " +
                                                std::to_string(range.Max)};
    }
    return std::nullopt;
}

StartError WrongStructSize(uint32_t theirs, size_t mine)
{
    return {NetLib_Result_InvalidArgument,
            "StructSize is " + std::to_string(theirs) + ", this library's is " + std::to_string(mine)};
}

// text may be null.
std::expected<NetworkList, StartError> CheckProxySources(const char* text)
{
    static_assert(NetworkList::MaxNetworks == NETLIB_PROXY_SOURCES_COUNT);
    const auto failure = [](const std::string& what) {
        return std::unexpected(StartError{NetLib_Result_InvalidArgument, "ProxySources " + what});
    };
    if (text == nullptr)
        return NetworkList();
    const void* const end = std::memchr(text, '\0', NETLIB_PROXY_SOURCES_LENGTH + 1);
    if (end == nullptr)
        return failure("is longer than " + std::to_string(NETLIB_PROXY_SOURCES_LENGTH) + " bytes");
    auto list = NetworkList::Parse({text, static_cast<const char*>(end)});
    if (!list)
        return failure(list.error());
    return std::move(*list);
}

} // namespace

std::expected<NetConfig, StartError> CheckConfig(const NetLib_Config& config)
{
    if (config.StructSize != sizeof(NetLib_Config))
        return std::unexpected(WrongStructSize(config.StructSize, sizeof(NetLib_Config)));
    // Later ranges depend on earlier values, so the order is part of the check.
    const std::array ranges{
        Range{"WorkThreadCount", config.WorkThreadCount, 0, 64, NetLib_Result_FailWorkThreadInfo},
        Range{"PortNumber", config.PortNumber, 0, 65535, NetLib_Result_FailServerInfoPort},
        Range{"MaxPacketSize", config.MaxPacketSize, NETLIB_PACKET_HEADER_LENGTH, 65535,
              NetLib_Result_FailServerInfoMaxPacketSize},
        Range{"ConnectionMaxRecvBufferSize", config.ConnectionMaxRecvBufferSize, config.MaxPacketSize, 16 * MiB,
              NetLib_Result_FailServerInfoMaxRecvConnectionBufferSize},
        Range{"ConnectionMaxSendBufferSize", config.ConnectionMaxSendBufferSize, config.MaxPacketSize, 64 * MiB,
              NetLib_Result_FailServerInfoMaxSendConnectionBufferSize},
        Range{"MaxRecvOverlappedBufferSize", config.MaxRecvOverlappedBufferSize, 1, config.ConnectionMaxRecvBufferSize,
              NetLib_Result_FailServerInfoMaxRecvOverlappedBufferSize},
        Range{"MaxSendOverlappedBufferSize", config.MaxSendOverlappedBufferSize, 1, config.ConnectionMaxSendBufferSize,
              NetLib_Result_FailServerInfoMaxSendOverlappedBufferSize},
        Range{"MaxConnectionCount", config.MaxConnectionCount, 1, 1'000'000,
              NetLib_Result_FailServerInfoMaxConnectionCount},
        Range{"MaxMessagePoolCount", config.MaxMessagePoolCount, 1, 16 * MiB,
              NetLib_Result_FailServerInfoMaxMessagePoolCount},
        Range{"ExtraMessagePoolCount", config.ExtraMessagePoolCount, 0, 16 * MiB,
              NetLib_Result_FailServerInfoExtraMessagePoolCount},
        Range{"PostMessagesThreadsCount", config.PostMessagesThreadsCount, 1, 1,
              NetLib_Result_FailServerInfoPostMessagesThreadsCount},
        Range{"CloseTimeoutMilliseconds", config.CloseTimeoutMilliseconds, 0, 600'000, NetLib_Result_InvalidArgument},
        Range{"KeepAliveIdleSeconds", config.KeepAliveIdleSeconds, 0, 32'767, NetLib_Result_InvalidArgument},
        Range{"KeepAliveIntervalSeconds", config.KeepAliveIntervalSeconds, 1, 32'767, NetLib_Result_InvalidArgument},
        Range{"KeepAliveCount", config.KeepAliveCount, 1, 127, NetLib_Result_InvalidArgument},
        Range{"NoDelay", config.NoDelay, 0, 1, NetLib_Result_InvalidArgument},
        Range{"IoBackend", config.IoBackend, NetLib_IoBackend_Auto, NetLib_IoBackend_IoUring,
              NetLib_Result_InvalidArgument},
        Range{"MinLogLevel", config.MinLogLevel, NetLib_LogLevel_Trace, NetLib_LogLevel_Fatal,
              NetLib_Result_InvalidArgument},
    };
    if (const auto error = FirstOutside(ranges))
        return std::unexpected(*error);
    const auto limits = CheckLimits({.StructSize = sizeof(NetLib_Limits),
                                     .FirstPacketTimeoutMilliseconds = config.FirstPacketTimeoutMilliseconds,
                                     .IdleTimeoutMilliseconds = config.IdleTimeoutMilliseconds,
                                     .MaxPacketsPerSecond = config.MaxPacketsPerSecond,
                                     .MaxBytesPerSecond = config.MaxBytesPerSecond,
                                     .RateBurstMilliseconds = config.RateBurstMilliseconds});
    if (!limits)
        return std::unexpected(limits.error());
    const int32_t period = config.PerformancePacketMillisecondsTime;
    if (period != 0 && (period < 100 || period > 86'400'000))
        return std::unexpected(StartError{NetLib_Result_FailServerInfoPerformancePacketMillisecondsTime,
                                          "PerformancePacketMillisecondsTime is " + std::to_string(period) +
                                              ", allowed is 0 or 100 to 86400000"});
    if (std::memchr(config.BindAddress, '\0', sizeof(config.BindAddress)) == nullptr)
        return std::unexpected(StartError{NetLib_Result_BadBindAddress, "BindAddress is not terminated"});
    auto proxySources = CheckProxySources(config.ProxySources);
    if (!proxySources)
        return std::unexpected(proxySources.error());

    return NetConfig{
        .PortNumber = static_cast<uint16_t>(config.PortNumber),
        .WorkThreadCount = static_cast<uint32_t>(config.WorkThreadCount),
        .MaxRecvOverlappedBufferSize = static_cast<uint32_t>(config.MaxRecvOverlappedBufferSize),
        .MaxSendOverlappedBufferSize = static_cast<uint32_t>(config.MaxSendOverlappedBufferSize),
        .ConnectionMaxRecvBufferSize = static_cast<uint32_t>(config.ConnectionMaxRecvBufferSize),
        .ConnectionMaxSendBufferSize = static_cast<uint32_t>(config.ConnectionMaxSendBufferSize),
        .MaxPacketSize = static_cast<uint32_t>(config.MaxPacketSize),
        .MaxConnectionCount = static_cast<uint32_t>(config.MaxConnectionCount),
        .MaxMessagePoolCount = static_cast<uint32_t>(config.MaxMessagePoolCount),
        .ExtraMessagePoolCount = static_cast<uint32_t>(config.ExtraMessagePoolCount),
        .PerformancePacketMillisecondsTime = std::chrono::milliseconds(period),
        .CloseTimeout = std::chrono::milliseconds(config.CloseTimeoutMilliseconds),
        .InitialLimits = *limits,
        .PeerKeepAlive = {.Idle = std::chrono::seconds(config.KeepAliveIdleSeconds),
                          .Interval = std::chrono::seconds(config.KeepAliveIntervalSeconds),
                          .Count = config.KeepAliveCount},
        .NoDelay = config.NoDelay != 0,
        .Backend = static_cast<IoBackend>(config.IoBackend),
        .BindAddress = config.BindAddress,
        .ProxySources = std::move(*proxySources),
    };
}

std::expected<Limits, StartError> CheckLimits(const NetLib_Limits& limits)
{
    if (limits.StructSize != sizeof(NetLib_Limits))
        return std::unexpected(WrongStructSize(limits.StructSize, sizeof(NetLib_Limits)));
    const std::array ranges{
        Range{"FirstPacketTimeoutMilliseconds", limits.FirstPacketTimeoutMilliseconds, 0, 3'600'000,
              NetLib_Result_InvalidArgument},
        Range{"IdleTimeoutMilliseconds", limits.IdleTimeoutMilliseconds, 0, 86'400'000, NetLib_Result_InvalidArgument},
        Range{"MaxPacketsPerSecond", limits.MaxPacketsPerSecond, 0, 1'000'000, NetLib_Result_InvalidArgument},
        Range{"MaxBytesPerSecond", limits.MaxBytesPerSecond, 0, 1 << 30, NetLib_Result_InvalidArgument},
        Range{"RateBurstMilliseconds", limits.RateBurstMilliseconds, 20, 60'000, NetLib_Result_InvalidArgument},
    };
    if (const auto error = FirstOutside(ranges))
        return std::unexpected(*error);
    return Limits{
        .FirstPacketTimeout = std::chrono::milliseconds(limits.FirstPacketTimeoutMilliseconds),
        .IdleTimeout = std::chrono::milliseconds(limits.IdleTimeoutMilliseconds),
        .Rate = {.PacketsPerSecond = static_cast<uint32_t>(limits.MaxPacketsPerSecond),
                 .BytesPerSecond = static_cast<uint32_t>(limits.MaxBytesPerSecond),
                 .Burst = std::chrono::milliseconds(limits.RateBurstMilliseconds)},
    };
}

void NetConfig::SetConnectionOptions(UniqueSocket& socket) const noexcept
{
    socket.SetKeepAlive(PeerKeepAlive);
    if (NoDelay)
        socket.SetNoDelay();
    socket.SetSendBound(SystemSendBound);
}

const char* ResultText(NetLib_Result result) noexcept
{
    switch (result) {
    case NetLib_Result_Success: return "success";
    case NetLib_Result_FailWorkThreadInfo: return "number of I/O threads out of range";
    case NetLib_Result_FailServerInfoPort: return "port out of range";
    case NetLib_Result_FailServerInfoMaxRecvOverlappedBufferSize: return "size of one receive out of range";
    case NetLib_Result_FailServerInfoMaxSendOverlappedBufferSize: return "size of one send out of range";
    case NetLib_Result_FailServerInfoMaxRecvConnectionBufferSize: return "receive ring size out of range";
    case NetLib_Result_FailServerInfoMaxSendConnectionBufferSize: return "send ring size out of range";
    case NetLib_Result_FailServerInfoMaxPacketSize: return "maximum packet size out of range";
    case NetLib_Result_FailServerInfoMaxConnectionCount: return "maximum number of connections out of range";
    case NetLib_Result_FailServerInfoMaxMessagePoolCount: return "message pool size out of range";
    case NetLib_Result_FailServerInfoExtraMessagePoolCount: return "message pool reserve out of range";
    case NetLib_Result_FailServerInfoPerformancePacketMillisecondsTime: return "performance period out of range";
    case NetLib_Result_FailServerInfoPostMessagesThreadsCount: return "number of logic threads is not 1";
    case NetLib_Result_FailCreateListenSocketStartup: return "the system's socket layer did not start";
    case NetLib_Result_FailCreateListenSocketSocket: return "no listen socket";
    case NetLib_Result_FailCreateListenSocketBind: return "the listen address could not be bound";
    case NetLib_Result_FailCreateListenSocketListen: return "the listen socket could not listen";
    case NetLib_Result_FailHandleIocpWork: return "no I/O handle for a worker";
    case NetLib_Result_FailHandleIocpLogic: return "no handle for the logic queue";
    case NetLib_Result_FailCreateMessageManager: return "no memory for the message pool";
    case NetLib_Result_FailLinkIocp: return "the listen socket could not be bound to the I/O backend";
    case NetLib_Result_FailCreateConnection: return "no memory for the connections";
    case NetLib_Result_FailCreatePerformance: return "no performance counters";
    case NetLib_Result_FailCreateWorkThread: return "the system refused an I/O thread";
    case NetLib_Result_BindAcceptExSocketFailWSASocket: return "no socket for an accept";
    case NetLib_Result_BindAcceptExSocketFailAcceptEx: return "no accept could be posted";
    case NetLib_Result_PostRecvNullObj: return "receive without a connection";
    case NetLib_Result_PostRecvNullWSABUF: return "receive without a buffer";
    case NetLib_Result_PostRecvNullSocketError: return "receive failed";
    case NetLib_Result_ReservedSendPacketBufferNotConnected: return "not connected";
    case NetLib_Result_ReservedSendPacketBufferEmptyBuffer: return "send ring full";
    case NetLib_Result_InvalidArgument: return "invalid argument";
    case NetLib_Result_AlreadyStarted: return "already started";
    case NetLib_Result_NotStarted: return "not started";
    case NetLib_Result_Busy: return "another poll is under way";
    case NetLib_Result_Stopped: return "stopped";
    case NetLib_Result_NoMessage: return "no message";
    case NetLib_Result_BufferTooSmall: return "buffer too small";
    case NetLib_Result_BadBindAddress: return "not an IPv4 or IPv6 address";
    case NetLib_Result_OutOfMemory: return "out of memory";
    case NetLib_Result_FailMiniDump: return "crash files cannot be written";
    default: return "unknown result";
    }
}

} // namespace NetLib
