// The exported functions: arguments are checked here, once, and no exception goes further.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <span>
#include <string>

#include "IocpNetLib.h"
#include "MiniDump.h"
#include "NetConfig.h"
#include "PacketFraming.h"
#include "ServerHandle.h"
#include "io/Io.h"

static_assert(NETLIB_PACKET_HEADER_LENGTH == NetLib::PacketHeaderLength);
// Mirrored in Go: a change of layout is a new ABI version.
static_assert(sizeof(NetLib_Message) == 24);
static_assert(sizeof(NetLib_Op) == 32);

namespace {

// Longest time that a stop may be given, so that no caller waits for ever by mistake.
constexpr int32_t MaxDrainMilliseconds = 600'000;

// Runs body, which returns a NetLib_Result, and turns what it may throw into one.
template <class Body>
NetLib_Result Guarded(Body body) noexcept
{
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return NetLib_Result_OutOfMemory;
    }
}

void CopyText(const std::string& text, char* destination, uint32_t size) noexcept
{
    if (size == 0)
        return;
    const size_t length = std::min<size_t>(text.size(), size - 1);
    std::memcpy(destination, text.data(), length);
    destination[length] = '\0';
}

} // namespace

uint32_t NetLib_AbiVersion(void) noexcept { return NETLIB_ABI_VERSION; }

const char* NetLib_BackendName(NetLib_Server* server) noexcept
{
    return server == nullptr ? "none" : server->BackendName();
}

const char* NetLib_ResultText(NetLib_Result result) noexcept { return NetLib::ResultText(result); }

NetLib_Server* NetLib_Create(void) noexcept
{
    try {
        return std::make_unique<NetLib_Server>().release();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void NetLib_Destroy(NetLib_Server* server) noexcept { const std::unique_ptr<NetLib_Server> owned(server); }

void NetLib_DefaultConfig(NetLib_Config* config) noexcept
{
    if (config == nullptr)
        return;
    *config = {};
    config->StructSize = sizeof(NetLib_Config);
    config->PortNumber = 11021;
    config->WorkThreadCount = 1;
    config->MaxRecvOverlappedBufferSize = 16 << 10;
    config->MaxSendOverlappedBufferSize = 256 << 10;
    config->ConnectionMaxRecvBufferSize = 16 << 10;
    config->ConnectionMaxSendBufferSize = 256 << 10;
    config->MaxPacketSize = 1024;
    config->MaxConnectionCount = 1000;
    config->MaxMessagePoolCount = 65536;
    config->ExtraMessagePoolCount = 8192;
    config->PostMessagesThreadsCount = 1;
    config->CloseTimeoutMilliseconds = 5000;
    config->KeepAliveIdleSeconds = 60;
    config->KeepAliveIntervalSeconds = 10;
    config->KeepAliveCount = 3;
    config->RateBurstMilliseconds = 250;
    config->NoDelay = 1;
    config->MinLogLevel = NetLib_LogLevel_Info;
}

NetLib_Result NetLib_Start(NetLib_Server* server, const NetLib_Config* config, char* error, uint32_t errorSize) noexcept
{
    if (server == nullptr || config == nullptr || (error == nullptr && errorSize != 0))
        return NetLib_Result_InvalidArgument;
    return Guarded([&] {
        std::string text;
        const NetLib_Result result = server->Start(*config, text);
        CopyText(text, error, errorSize);
        return result;
    });
}

uint16_t NetLib_GetPort(NetLib_Server* server) noexcept
{
    if (server == nullptr)
        return 0;
    const NetLib_Server::Call call(*server);
    return call.Server() == nullptr ? uint16_t{0} : call.Server()->Port();
}

NetLib_Result NetLib_Poll(NetLib_Server* server, NetLib_Message* messages, uint32_t capacity, int32_t waitMilliseconds,
                          uint32_t* count) noexcept
{
    if (server == nullptr || messages == nullptr || capacity == 0 || count == nullptr ||
        waitMilliseconds < NETLIB_WAIT_INFINITE)
        return NetLib_Result_InvalidArgument;
    *count = 0;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return call.PollReason();
    return Guarded([&] { return call.Server()->Poll({messages, capacity}, waitMilliseconds, *count); });
}

NetLib_Result NetLib_Release(NetLib_Server* server) noexcept
{
    if (server == nullptr)
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    return Guarded([&] { return call.Server()->Release(); });
}

NetLib_Result NetLib_WakePoll(NetLib_Server* server) noexcept
{
    if (server == nullptr)
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    call.Server()->WakePoll();
    return NetLib_Result_Success;
}

NetLib_Result NetLib_Submit(NetLib_Server* server, const NetLib_Op* ops, uint32_t count, const uint8_t* payload,
                            uint32_t payloadSize, const NetLib_ConnectionId* receivers, uint32_t receiverCount) noexcept
{
    if (server == nullptr || (ops == nullptr && count != 0) || (payload == nullptr && payloadSize != 0) ||
        (receivers == nullptr && receiverCount != 0))
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    return Guarded([&] {
        return call.Server()->Submit({ops, count}, std::as_bytes(std::span(payload, payloadSize)),
                                     {receivers, receiverCount});
    });
}

NetLib_Result NetLib_GetNetworkMessage(NetLib_Server* server, int8_t* msgOperationType,
                                       NetLib_ConnectionId* connectionId, char* buffer, uint32_t bufferSize,
                                       uint32_t* copySize, int32_t waitMilliseconds) noexcept
{
    if (server == nullptr || msgOperationType == nullptr || connectionId == nullptr || copySize == nullptr ||
        (buffer == nullptr && bufferSize != 0) || waitMilliseconds < NETLIB_WAIT_INFINITE)
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return call.PollReason();
    return Guarded([&] {
        return call.Server()->GetNetworkMessage(*msgOperationType, *connectionId, {buffer, bufferSize}, *copySize,
                                                waitMilliseconds);
    });
}

NetLib_Result NetLib_SendPacket(NetLib_Server* server, NetLib_ConnectionId connectionId, const char* packet,
                                uint32_t packetSize) noexcept
{
    if (server == nullptr || packet == nullptr)
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    return Guarded(
        [&] { return call.Server()->SendPacket(connectionId, std::as_bytes(std::span(packet, packetSize))); });
}

NetLib_Result NetLib_GetStats(NetLib_Server* server, NetLib_Stats* stats) noexcept
{
    if (server == nullptr || stats == nullptr || stats->StructSize != sizeof(NetLib_Stats))
        return NetLib_Result_InvalidArgument;
    *stats = server->Stats();
    stats->StructSize = sizeof(NetLib_Stats);
    return NetLib_Result_Success;
}

NetLib_Result NetLib_SetLimits(NetLib_Server* server, const NetLib_Limits* limits, char* error,
                               uint32_t errorSize) noexcept
{
    if (server == nullptr || limits == nullptr || (error == nullptr && errorSize != 0))
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    return Guarded([&] {
        const auto checked = NetLib::CheckLimits(*limits);
        CopyText(checked ? std::string() : checked.error().Text, error, errorSize);
        if (!checked)
            return checked.error().Result;
        call.Server()->SetLimits(*checked);
        return static_cast<NetLib_Result>(NetLib_Result_Success);
    });
}

NetLib_Result NetLib_SetLogLevel(NetLib_Server* server, int32_t minLevel) noexcept
{
    if (server == nullptr || minLevel < NetLib_LogLevel_Trace || minLevel > NetLib_LogLevel_Fatal)
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    call.Server()->SetLogLevel(minLevel);
    return NetLib_Result_Success;
}

NetLib_Result NetLib_StopAccepting(NetLib_Server* server) noexcept
{
    if (server == nullptr)
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    call.Server()->StopAccepting();
    return NetLib_Result_Success;
}

NetLib_Result NetLib_BeginStop(NetLib_Server* server) noexcept
{
    if (server == nullptr)
        return NetLib_Result_InvalidArgument;
    const NetLib_Server::Call call(*server);
    if (call.Server() == nullptr)
        return NetLib_Result_NotStarted;
    call.Server()->BeginStop();
    return NetLib_Result_Success;
}

NetLib_Result NetLib_Stop(NetLib_Server* server, int32_t drainMilliseconds) noexcept
{
    if (server == nullptr || drainMilliseconds < 0 || drainMilliseconds > MaxDrainMilliseconds)
        return NetLib_Result_InvalidArgument;
    return Guarded([&] { return server->Stop(std::chrono::milliseconds(drainMilliseconds)); });
}

NetLib_Result NetLib_EnableMiniDump(const char* folder, char* error, uint32_t errorSize) noexcept
{
    if (folder == nullptr || (error == nullptr && errorSize != 0))
        return NetLib_Result_InvalidArgument;
    return Guarded([&] {
        const auto begun = NetLib::MiniDump::Begin(folder);
        CopyText(begun ? std::string() : begun.error(), error, errorSize);
        return begun ? NetLib_Result_Success : NetLib_Result_FailMiniDump;
    });
}

void NetLib_DisableMiniDump(void) noexcept { NetLib::MiniDump::End(); }
