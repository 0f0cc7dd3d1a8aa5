#include "LogicQueue.h"

#include <array>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "TestClient.h"

namespace NetLib::Test {
namespace {

using Clock = std::chrono::steady_clock;
using WaitEnd = LogicQueue::WaitEnd;

void PushOne(LogicQueue& queue, Message& message)
{
    MessageList list;
    list.Append(message);
    queue.Push(list);
}

std::vector<uint32_t> PopSizes(LogicQueue& queue)
{
    std::vector<uint32_t> sizes;
    MessageList list = queue.PopAll();
    const uint32_t count = list.Count;
    const Message* last = list.Last;
    const Message* taken = nullptr;
    while (!list.IsEmpty()) {
        taken = list.TakeFirst();
        sizes.push_back(taken->Size);
    }
    EXPECT_EQ(count, sizes.size());
    EXPECT_EQ(last, taken);
    return sizes;
}

TEST(LogicQueue, IsFirstInFirstOut)
{
    LogicQueue queue;
    std::array<Message, 6> messages;
    for (uint32_t i = 0; i < messages.size(); ++i)
        messages[i].Size = i;
    EXPECT_TRUE(PopSizes(queue).empty());
    queue.Push({});
    EXPECT_TRUE(PopSizes(queue).empty());

    MessageList three;
    for (size_t i = 0; i < 3; ++i)
        three.Append(messages[i]);
    queue.Push(three);
    PushOne(queue, messages[3]);
    EXPECT_EQ(PopSizes(queue), (std::vector<uint32_t>{0, 1, 2, 3}));
    MessageList two;
    two.Append(messages[4]);
    two.Append(messages[5]);
    PushOne(queue, messages[0]);
    queue.Push(two);
    EXPECT_EQ(PopSizes(queue), (std::vector<uint32_t>{0, 4, 5}));
    EXPECT_TRUE(PopSizes(queue).empty());
}

TEST(LogicQueue, WaitReturnsAtOnceWhenThereIsSomething)
{
    LogicQueue queue;
    Message message;
    EXPECT_EQ(queue.Wait(Clock::now()), WaitEnd::TimedOut);
    EXPECT_EQ(queue.Wait(Clock::now() - std::chrono::hours(1)), WaitEnd::TimedOut);
    PushOne(queue, message);
    EXPECT_EQ(queue.Wait(Clock::now()), WaitEnd::Ready);
    EXPECT_EQ(queue.Wait(Clock::time_point::max()), WaitEnd::Ready) << "it was not popped";
    EXPECT_EQ(PopSizes(queue).size(), 1u);
    EXPECT_EQ(queue.Wait(Clock::now()), WaitEnd::TimedOut);
}

TEST(LogicQueue, WaitKeepsToItsTime)
{
    LogicQueue queue;
    const auto until = Clock::now() + std::chrono::milliseconds(20);
    EXPECT_EQ(queue.Wait(until), WaitEnd::TimedOut);
    EXPECT_GE(Clock::now(), until);
}

// A Wake that comes before the wait is not lost, and ends one wait only.
TEST(LogicQueue, WakeIsSticky)
{
    LogicQueue queue;
    queue.Wake();
    queue.Wake();
    EXPECT_EQ(queue.Wait(Clock::time_point::max()), WaitEnd::Woken);
    EXPECT_EQ(queue.Wait(Clock::now()), WaitEnd::TimedOut);
}

TEST(LogicQueue, RecheckIsStickyAndNoWake)
{
    LogicQueue queue;
    queue.Recheck();
    EXPECT_EQ(queue.Wait(Clock::time_point::max()), WaitEnd::Ready);
    EXPECT_EQ(queue.Wait(Clock::now()), WaitEnd::TimedOut);
    queue.Recheck();
    queue.Wake();
    EXPECT_EQ(queue.Wait(Clock::time_point::max()), WaitEnd::Woken) << "a Wake must not get lost behind a Recheck";
}

// Without limit: with one, a wake that is missed would only be late. The watchdog ends this.
TEST(LogicQueue, SleeperIsWoken)
{
    for (int turn = 0; turn < 200; ++turn) {
        LogicQueue queue;
        Message message;
        auto sleeper = std::async(std::launch::async, [&] { return queue.Wait(Clock::time_point::max()); });
        switch (turn % 3) {
        case 0: queue.Wake(); break;
        case 1: queue.Recheck(); break;
        default: PushOne(queue, message); break;
        }
        ASSERT_EQ(sleeper.get(), turn % 3 == 0 ? WaitEnd::Woken : WaitEnd::Ready);
    }
}

// Two threads that wait for each other: each push finds the other one asleep, or about to sleep.
TEST(LogicQueue, PushWakesEveryTime)
{
    constexpr uint32_t Rounds = 2000;
    LogicQueue there;
    LogicQueue back;
    Message message;
    const auto pop = [](LogicQueue& queue) {
        while (queue.PopAll().IsEmpty())
            EXPECT_EQ(queue.Wait(Clock::time_point::max()), WaitEnd::Ready);
    };
    std::thread other([&] {
        for (uint32_t round = 0; round < Rounds; ++round) {
            pop(there);
            PushOne(back, message);
        }
    });
    for (uint32_t round = 0; round < Rounds; ++round) {
        PushOne(there, message);
        pop(back);
    }
    other.join();
}

// Each producer's messages arrive once and in its order, and the consumer, which sleeps in between, misses none.
TEST(LogicQueue, OrderOfEachOfManyProducers)
{
    constexpr uint32_t Producers = 4;
    constexpr uint32_t Count = 20'000;
    LogicQueue queue;
    std::vector<std::vector<Message>> messages(Producers);
    std::vector<std::thread> producers;
    for (uint32_t producer = 0; producer < Producers; ++producer) {
        messages[producer].resize(Count);
        producers.emplace_back([&queue, &mine = messages[producer], producer] {
            Random random(producer);
            MessageList list;
            for (uint32_t i = 0; i < Count; ++i) {
                mine[i].Reason = static_cast<uint16_t>(producer);
                mine[i].Size = i;
                list.Append(mine[i]);
                if (random.OneIn(4) || i + 1 == Count) {
                    queue.Push(list);
                    list = {};
                }
            }
        });
    }
    std::array<uint32_t, Producers> next{};
    bool isInOrder = true;
    for (uint32_t taken = 0; taken < Producers * Count && isInOrder;) {
        MessageList list = queue.PopAll();
        if (list.IsEmpty()) {
            EXPECT_EQ(queue.Wait(Clock::time_point::max()), WaitEnd::Ready);
        }
        for (; !list.IsEmpty(); ++taken) {
            const Message& message = *list.TakeFirst();
            isInOrder &= message.Size == next[message.Reason]++;
        }
    }
    for (std::thread& producer : producers)
        producer.join();
    EXPECT_TRUE(isInOrder);
    EXPECT_TRUE(queue.PopAll().IsEmpty());
}

} // namespace
} // namespace NetLib::Test
