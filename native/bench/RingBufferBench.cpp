// The rings: what a packet costs on its way in and out, system calls aside.
#include <vector>

#include <benchmark/benchmark.h>

#include "RecvRingBuffer.h"
#include "SendRingBuffer.h"

namespace NetLib {
namespace {

// The default sizes of a server.
constexpr uint32_t RecvCapacity = 16 << 10;
constexpr uint32_t SendCapacity = 256 << 10;
constexpr uint32_t MaxPacketSize = 1024;
// Packets that logic holds while the next ones are received.
constexpr size_t Held = 8;

// Receive, hand out, give back: packets of one size, logic some packets behind. Items are packets.
void RecvRing(benchmark::State& state)
{
    const auto size = static_cast<uint32_t>(state.range(0));
    RecvRingBuffer ring;
    ring.Create(RecvCapacity, MaxPacketSize);
    ring.Lend(std::make_unique<std::byte[]>(RecvCapacity));
    uint32_t held[Held] = {};
    size_t next = 0;
    for ([[maybe_unused]] auto _ : state) {
        while (ring.Unframed().size() < size) {
            const auto buffer = ring.GetWriteBuffer(size);
            benchmark::DoNotOptimize(buffer.data());
            ring.Received(static_cast<uint32_t>(buffer.size()));
        }
        ring.GiveBack(held[next]);
        held[next] = ring.HandOut(size);
        next = (next + 1) % Held;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RecvRing)->Arg(16)->Arg(64)->Arg(283)->Arg(1024);

// Sixteen packets added, then taken as one send. Items are packets.
void SendRing(benchmark::State& state)
{
    constexpr int Batch = 16;
    const auto size = static_cast<size_t>(state.range(0));
    const std::vector<std::byte> packet(size);
    SendRingBuffer ring;
    ring.Create(SendCapacity);
    ring.Lend(std::make_unique<std::byte[]>(SendCapacity), 0);
    for ([[maybe_unused]] auto _ : state) {
        for (int i = 0; i < Batch; ++i)
            benchmark::DoNotOptimize(ring.AddSendData(packet));
        const auto pieces = ring.GetSendAbleData(SendCapacity);
        ring.SendCompleted(static_cast<uint32_t>(pieces[0].size() + pieces[1].size()));
    }
    state.SetItemsProcessed(state.iterations() * Batch);
    state.SetBytesProcessed(state.iterations() * Batch * static_cast<int64_t>(size));
}
BENCHMARK(SendRing)->Arg(16)->Arg(64)->Arg(283)->Arg(1024);

} // namespace
} // namespace NetLib
