// Framing: a receive buffer of 16 KiB full of packets.
#include <vector>

#include <benchmark/benchmark.h>

#include "PacketFraming.h"

namespace NetLib {
namespace {

void Framing(benchmark::State& state)
{
    const auto size = static_cast<size_t>(state.range(0));
    std::vector<std::byte> buffer((16 << 10) / size * size);
    for (size_t i = 0; i < buffer.size(); i += size) {
        buffer[i] = static_cast<std::byte>(size & 0xFF);
        buffer[i + 1] = static_cast<std::byte>(size >> 8);
    }
    int64_t packets = 0;
    for ([[maybe_unused]] auto _ : state) {
        std::span<const std::byte> stream = buffer;
        for (;;) {
            const Frame frame = NextFrame(stream, 1024);
            if (frame.Result != Frame::Status::Complete)
                break;
            stream = stream.subspan(frame.Size);
            ++packets;
        }
        benchmark::DoNotOptimize(stream.data());
    }
    state.SetItemsProcessed(packets);
}
BENCHMARK(Framing)->Arg(5)->Arg(64)->Arg(283)->Arg(1024);

} // namespace
} // namespace NetLib
