#include "MessagePool.h"

#include <atomic>
#include <future>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "TestClient.h"

namespace NetLib::Test {
namespace {

std::vector<Message*> Take(MessagePool& pool, size_t count, uint32_t worker = 0)
{
    std::vector<Message*> messages(count);
    messages.resize(pool.Allocate(messages, worker));
    return messages;
}

uint64_t Return(MessagePool& pool, std::span<Message* const> messages)
{
    MessageList list;
    for (Message* message : messages)
        list.Append(*message);
    return pool.Free(list);
}

TEST(MessagePool, GivesEachMessageOnce)
{
    MessagePool pool(5, 2);
    const auto messages = Take(pool, 7);
    EXPECT_EQ(std::set<Message*>(messages.begin(), messages.end()).size(), 7u);
    EXPECT_EQ(pool.GetUsage().InUse, 7u);
    EXPECT_EQ(Return(pool, messages), 0u) << "nobody waits";
    EXPECT_EQ(pool.GetUsage().InUse, 0u);
    EXPECT_EQ(Take(pool, 7).size(), 7u);
}

// It gives what there is, and remembers who wanted more until the next message comes back.
TEST(MessagePool, RemembersWhoWaits)
{
    MessagePool pool(3, 0);
    const auto first = Take(pool, 2);
    const auto second = Take(pool, 5, 3);
    EXPECT_EQ(second.size(), 1u);
    EXPECT_TRUE(Take(pool, 1, 63).empty());
    EXPECT_TRUE(Take(pool, 1, 3).empty());
    EXPECT_EQ(pool.Free({}), 0u) << "nothing came back, so nobody can go on";
    EXPECT_EQ(Return(pool, first), (uint64_t{1} << 63) | (uint64_t{1} << 3));
    EXPECT_EQ(Return(pool, second), 0u) << "each is named once";
    EXPECT_EQ(Take(pool, 3, 1).size(), 3u);
}

TEST(MessagePool, CountsEachUseOfTheReserve)
{
    MessagePool pool(2, 3);
    auto held = Take(pool, 2);
    EXPECT_EQ(pool.GetUsage().ReserveUsed, 0u) << "only the ordinary messages are in use";
    auto more = Take(pool, 1);
    EXPECT_EQ(pool.GetUsage().ReserveUsed, 1u);
    auto rest = Take(pool, 2);
    EXPECT_EQ(pool.GetUsage().ReserveUsed, 1u) << "begun once";
    (void)Return(pool, rest);
    (void)Return(pool, more);
    EXPECT_EQ(Take(pool, 3).size(), 3u);
    EXPECT_EQ(pool.GetUsage().ReserveUsed, 2u);
}

TEST(MessagePool, WithoutReserveNothingOfItIsCounted)
{
    MessagePool pool(1, 0);
    (void)Take(pool, 2);
    EXPECT_EQ(pool.GetUsage().ReserveUsed, 0u);
}

TEST(MessagePool, NobodyWaitsForNothing)
{
    MessagePool pool(1, 0);
    (void)Take(pool, 1);
    EXPECT_TRUE(Take(pool, 0, 5).empty());
}

// Threads take and give back; a message that two of them hold at once shows as a marker that is not theirs.
TEST(MessagePool, ManyThreads)
{
    constexpr uint32_t Threads = 4;
    MessagePool pool(20, 4);
    std::atomic<uint64_t> named{0};
    std::vector<std::future<bool>> threads;
    for (uint32_t thread = 0; thread < Threads; ++thread) {
        threads.push_back(std::async(std::launch::async, [&pool, &named, thread] {
            Random random(thread);
            for (int turn = 0; turn < 3000; ++turn) {
                const auto messages = Take(pool, random.Between(1, 12), thread);
                for (Message* message : messages)
                    message->Size = thread;
                for (const Message* message : messages) {
                    if (message->Size != thread)
                        return false;
                }
                named |= Return(pool, messages);
            }
            return true;
        }));
    }
    for (auto& thread : threads)
        EXPECT_TRUE(thread.get()) << "a message was given to two threads";
    EXPECT_EQ(named.load() & ~((uint64_t{1} << Threads) - 1), 0u) << "a worker that there is not";
    EXPECT_EQ(pool.GetUsage().InUse, 0u);
    EXPECT_EQ(Take(pool, 24).size(), 24u) << "a message was lost";
}

} // namespace
} // namespace NetLib::Test
