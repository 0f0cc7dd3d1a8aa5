// What a server is started with, checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include "IocpNetLib.h"
#include "NetworkList.h"
#include "RateLimit.h"
#include "io/Io.h"

namespace NetLib {

// A NetLib_Limits whose every field was found to be in its range.
struct Limits {
    std::chrono::milliseconds FirstPacketTimeout; // 0: none
    std::chrono::milliseconds IdleTimeout;        // 0: none
    RateLimit Rate;
};

// A NetLib_Config whose every field was found to be in its range.
struct NetConfig {
    uint16_t PortNumber;
    uint32_t WorkThreadCount; // 0: logic serves the one worker itself
    uint32_t MaxRecvOverlappedBufferSize;
    uint32_t MaxSendOverlappedBufferSize;
    uint32_t ConnectionMaxRecvBufferSize;
    uint32_t ConnectionMaxSendBufferSize;
    uint32_t MaxPacketSize;
    uint32_t MaxConnectionCount;
    uint32_t MaxMessagePoolCount;
    uint32_t ExtraMessagePoolCount;
    std::chrono::milliseconds PerformancePacketMillisecondsTime; // 0: no performance log
    std::chrono::milliseconds CloseTimeout;
    Limits InitialLimits;
    KeepAlive PeerKeepAlive;
    bool NoDelay;
    IoBackend Backend;
    std::string BindAddress;  // empty: all addresses
    NetworkList ProxySources; // whose connections begin with a PROXY header

    // Gives a connection's socket, or one whose options connections inherit, what this says about it.
    void SetConnectionOptions(UniqueSocket& socket) const noexcept;
};

// Why a server did not start: the result, and a sentence for people.
struct StartError {
    NetLib_Result Result;
    std::string Text;
};

[[nodiscard]] std::expected<NetConfig, StartError> CheckConfig(const NetLib_Config& config);
[[nodiscard]] std::expected<Limits, StartError> CheckLimits(const NetLib_Limits& limits);

[[nodiscard]] const char* ResultText(NetLib_Result result) noexcept;

} // namespace NetLib
