// The boundary: what calls into a running server cost, before any byte is sent.
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "IocpNetLib.h"

namespace {

struct ServerDeleter {
    void operator()(NetLib_Server* server) const noexcept { NetLib_Destroy(server); }
};
using UniqueServer = std::unique_ptr<NetLib_Server, ServerDeleter>;

// A server without clients; null, and the benchmark is over, if it cannot start.
UniqueServer StartServer(benchmark::State& state)
{
    NetLib_Config config{};
    NetLib_DefaultConfig(&config);
    config.PortNumber = 0;
    std::strcpy(config.BindAddress, "127.0.0.1");
    UniqueServer server(NetLib_Create());
    char error[256] = "no memory";
    if (server == nullptr || NetLib_Start(server.get(), &config, error, sizeof(error)) != NetLib_Result_Success) {
        state.SkipWithError(error);
        return nullptr;
    }
    return server;
}

// Ids that no client has.
std::vector<NetLib_ConnectionId> StaleIds(size_t count)
{
    std::vector<NetLib_ConnectionId> ids(count);
    for (size_t i = 0; i < count; ++i)
        ids[i] = (uint64_t{1} << 32) | i;
    return ids;
}

// One call with so many sends: each is checked and looked up, and then dropped. Items are sends.
void SubmitSends(benchmark::State& state)
{
    const auto count = static_cast<uint32_t>(state.range(0));
    const UniqueServer server = StartServer(state);
    if (server == nullptr)
        return;
    const auto ids = StaleIds(count);
    const std::array<uint8_t, 64> payload{};
    std::vector<NetLib_Op> ops(count);
    for (uint32_t i = 0; i < count; ++i) {
        ops[i].Type = NetLib_Op_Send;
        ops[i].ConnectionId = ids[i];
        ops[i].PayloadSize = static_cast<uint32_t>(payload.size());
    }
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(NetLib_Submit(server.get(), ops.data(), count, payload.data(),
                                               static_cast<uint32_t>(payload.size()), nullptr, 0));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(SubmitSends)->Arg(1)->Arg(8)->Arg(64)->Arg(512);

// One broadcast to so many receivers. Items are receivers.
void SubmitBroadcast(benchmark::State& state)
{
    const auto count = static_cast<uint32_t>(state.range(0));
    const UniqueServer server = StartServer(state);
    if (server == nullptr)
        return;
    const auto ids = StaleIds(count);
    const std::array<uint8_t, 64> payload{};
    NetLib_Op op{};
    op.Type = NetLib_Op_Broadcast;
    op.PayloadSize = static_cast<uint32_t>(payload.size());
    op.ReceiverCount = count;
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(NetLib_Submit(server.get(), &op, 1, payload.data(),
                                               static_cast<uint32_t>(payload.size()), ids.data(), count));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(SubmitBroadcast)->Arg(8)->Arg(64)->Arg(512);

void SendPacket(benchmark::State& state)
{
    const UniqueServer server = StartServer(state);
    if (server == nullptr)
        return;
    const std::array<char, 64> packet{};
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(
            NetLib_SendPacket(server.get(), uint64_t{1} << 32, packet.data(), static_cast<uint32_t>(packet.size())));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SendPacket);

// A poll that finds nothing and does not wait.
void PollNothing(benchmark::State& state)
{
    const UniqueServer server = StartServer(state);
    if (server == nullptr)
        return;
    std::array<NetLib_Message, 64> messages;
    for ([[maybe_unused]] auto _ : state) {
        uint32_t count = 0;
        benchmark::DoNotOptimize(
            NetLib_Poll(server.get(), messages.data(), static_cast<uint32_t>(messages.size()), 0, &count));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(PollNothing);

void GetStats(benchmark::State& state)
{
    const UniqueServer server = StartServer(state);
    if (server == nullptr)
        return;
    NetLib_Stats stats{};
    stats.StructSize = sizeof(stats);
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(NetLib_GetStats(server.get(), &stats));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(GetStats);

} // namespace
