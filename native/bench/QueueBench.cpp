// The message pool and the logic queue: what a packet costs on its way between two threads.
#include <array>
#include <vector>

#include <benchmark/benchmark.h>

#include "LogicQueue.h"
#include "MessagePool.h"

namespace NetLib {
namespace {

// A batch taken and given back, by one thread and by as many as there may be I/O workers. Items are messages.
void MessagePoolBatch(benchmark::State& state)
{
    static MessagePool pool(65536, 8192);
    const auto batch = static_cast<size_t>(state.range(0));
    std::array<Message*, 64> messages;
    for ([[maybe_unused]] auto _ : state) {
        const uint32_t given =
            pool.Allocate(std::span(messages).first(batch), static_cast<uint32_t>(state.thread_index()));
        MessageList list;
        for (uint32_t i = 0; i < given; ++i)
            list.Append(*messages[i]);
        benchmark::DoNotOptimize(pool.Free(list));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(MessagePoolBatch)->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(MessagePoolBatch)->Arg(8)->Threads(2)->Threads(4)->UseRealTime();

// A list pushed, and everything popped, without a sleeper. Items are messages.
void LogicQueueBatch(benchmark::State& state)
{
    LogicQueue queue;
    std::vector<Message> messages(static_cast<size_t>(state.range(0)));
    for ([[maybe_unused]] auto _ : state) {
        MessageList list;
        for (Message& message : messages)
            list.Append(message);
        queue.Push(list);
        benchmark::DoNotOptimize(queue.PopAll());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(LogicQueueBatch)->Arg(1)->Arg(8)->Arg(64)->Arg(512);

} // namespace
} // namespace NetLib
