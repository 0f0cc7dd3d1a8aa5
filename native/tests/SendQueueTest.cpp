#include "SendQueue.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "TestClient.h"

namespace NetLib::Test {
namespace {

// What was sent of a stream, checked byte by byte.
class Reader {
public:
    explicit Reader(SendQueue& queue) : m_Queue(queue) {}

    // Offers at most wanted bytes to a system that takes a part of them. Nothing: what was offered is not what follows.
    std::optional<uint32_t> Send(uint32_t wanted, Random& random)
    {
        const auto pieces = m_Queue.GetSendAbleData(wanted);
        const size_t size = pieces[0].size() + pieces[1].size();
        if (size > wanted || (pieces[0].empty() && size != 0))
            return std::nullopt;
        uint64_t position = Position;
        for (const auto& piece : pieces) {
            for (const std::byte byte : piece) {
                if (byte != StreamByte(position++))
                    return std::nullopt;
            }
        }
        const uint32_t taken =
            random.OneIn(2) ? static_cast<uint32_t>(size) : random.Between(0, static_cast<uint32_t>(size));
        m_Queue.SendCompleted(taken);
        Position += taken;
        return taken;
    }

    uint64_t Position = 0;

private:
    SendQueue& m_Queue;
};

class SendQueueSizes : public testing::TestWithParam<uint32_t> {};

TEST_P(SendQueueSizes, RandomStepsKeepTheOrder)
{
    const uint32_t capacity = GetParam();
    int shared = 0;
    int behind = 0;
    for (uint32_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        SharedBlockPool pool(capacity + capacity / 2);
        SendQueue queue;
        queue.Create(capacity);
        Reader reader(queue);
        uint64_t written = 0;
        for (int step = 0; step < 2000; ++step) {
            if (random.OneIn(2)) {
                // A batch of logic's: nobody reads before it is published.
                for (uint32_t n = random.Between(1, 3); n != 0; --n) {
                    const auto room = static_cast<uint32_t>(capacity - (written - reader.Position));
                    const uint32_t size = std::max(random.OneIn(4)   ? room
                                                   : random.OneIn(4) ? room + 1
                                                                     : random.Between(1, capacity),
                                                   1u);
                    const Bytes data = StreamBytes(written, size);
                    SharedPiece piece;
                    if (random.OneIn(2))
                        piece = queue.AppendShared(data);
                    if (!piece.Block && random.OneIn(2))
                        piece = pool.Copy(data);
                    if (piece.Block && queue.Share(piece)) {
                        ++shared;
                        behind += piece.Begin != 0;
                        written += size;
                        continue;
                    }
                    if (!queue.HasMemory())
                        queue.Lend(std::make_unique<std::byte[]>(capacity), random.Between(0, capacity - 1));
                    const bool added = queue.AddSendData(data);
                    ASSERT_EQ(added, size <= room) << size << " bytes into room for " << room;
                    if (added)
                        written += size;
                }
                queue.Publish();
            } else {
                ASSERT_TRUE(reader.Send(random.Between(1, capacity + 5), random).has_value());
                // A server takes the memory back when all is sent.
                if (queue.Size() == 0 && random.OneIn(2))
                    (void)queue.Reclaim();
            }
            ASSERT_EQ(queue.Size(), written - reader.Position);
        }
        while (reader.Position != written)
            ASSERT_TRUE(reader.Send(capacity, random).has_value());
        ASSERT_EQ(queue.Size(), 0u);
    }
    EXPECT_GT(shared, 1000);
    EXPECT_TRUE(behind > 100 || capacity < 16);
}

INSTANTIATE_TEST_SUITE_P(All, SendQueueSizes, testing::Values(1, 2, 5, 16, 63, 1000));

TEST(SendQueue, WhatIsSharedInOneBatchLeavesTogetherWithTheNext)
{
    SharedBlockPool pool(100);
    SendQueue queue;
    queue.Create(100);
    ASSERT_TRUE(queue.Share(pool.Copy(StreamBytes(0, 40))));
    EXPECT_EQ(queue.GetSendAbleData(100)[0].size(), 0u) << "it is not published";
    EXPECT_FALSE(queue.Share(pool.Copy(StreamBytes(40, 10))));
    queue.Lend(std::make_unique<std::byte[]>(100), 0);
    EXPECT_FALSE(queue.AddSendData(StreamBytes(40, 61))) << "both do not fit";
    ASSERT_TRUE(queue.AddSendData(StreamBytes(40, 10)));
    queue.Publish();
    EXPECT_EQ(queue.GetSendAbleData(100)[0].size(), 50u);
    EXPECT_EQ(queue.GetSendAbleData(100)[1].size(), 0u);
}

TEST(SendQueue, WhatIsSharedCountsAgainstTheCapacity)
{
    SharedBlockPool pool(100);
    SendQueue queue;
    queue.Create(100);
    ASSERT_TRUE(queue.Share(pool.Copy(StreamBytes(0, 40))));
    queue.Publish();
    queue.Lend(std::make_unique<std::byte[]>(100), 0);
    EXPECT_FALSE(queue.AddSendData(StreamBytes(40, 61)));
    ASSERT_TRUE(queue.AddSendData(StreamBytes(40, 60)));
    const auto pieces = queue.GetSendAbleData(100);
    EXPECT_EQ(pieces[0].size(), 40u);
    EXPECT_EQ(pieces[1].size(), 60u);
    EXPECT_EQ(queue.Size(), 100u);
}

// Broadcasts of one batch to the same receivers: one piece for all of them but one, who got something of its own between.
TEST(SendQueue, WhatFollowsEachOtherIsSharedTogether)
{
    SharedBlockPool pool(100);
    std::array<SendQueue, 3> queues;
    for (SendQueue& queue : queues)
        queue.Create(100);
    const SharedPiece first = pool.Copy(StreamBytes(0, 40));
    for (SendQueue& queue : queues)
        ASSERT_TRUE(queue.Share(first));
    queues[1].Lend(std::make_unique<std::byte[]>(100), 0);
    ASSERT_TRUE(queues[1].AddSendData(StreamBytes(1000, 5)));
    EXPECT_FALSE(queues[1].AppendShared(StreamBytes(40, 30)).Block);
    const SharedPiece second = queues[0].AppendShared(StreamBytes(40, 30));
    ASSERT_TRUE(second.Block);
    EXPECT_FALSE(queues[2].AppendShared(StreamBytes(40, 30)).Block) << "there is something else at that place";
    ASSERT_TRUE(queues[0].Share(second));
    EXPECT_FALSE(queues[1].Share(second));
    ASSERT_TRUE(queues[2].Share(second));
    EXPECT_FALSE(queues[0].AppendShared(StreamBytes(70, 31)).Block) << "the block has no room";
    for (SendQueue* queue : {&queues[0], &queues[2]}) {
        queue->Publish();
        const auto pieces = queue->GetSendAbleData(100);
        EXPECT_TRUE(std::ranges::equal(pieces[0], StreamBytes(0, 70)));
        EXPECT_TRUE(pieces[1].empty());
        EXPECT_FALSE(queue->AppendShared(StreamBytes(70, 1)).Block) << "it is the reader's";
        queue->SendCompleted(70);
        EXPECT_EQ(queue->Size(), 0u);
    }
}

TEST(SharedBlock, IsUsedAgainOnlyWhenNobodyRefersToIt)
{
    SharedBlockPool pool(10);
    SharedPiece first = pool.Copy(StreamBytes(0, 10));
    ASSERT_TRUE(first.Block);
    SharedPiece copy = first;
    const std::byte* const memory = first.Bytes().data();
    first.Block.Reset();
    EXPECT_FALSE(first.Block);
    const SharedPiece second = pool.Copy(StreamBytes(10, 5));
    EXPECT_NE(second.Bytes().data(), memory);
    EXPECT_TRUE(std::ranges::equal(copy.Bytes(), StreamBytes(0, 10)));
    copy = {};
    const SharedPiece third = pool.Copy(StreamBytes(20, 7));
    EXPECT_EQ(third.Bytes().data(), memory);
    EXPECT_TRUE(std::ranges::equal(third.Bytes(), StreamBytes(20, 7)));
    EXPECT_TRUE(std::ranges::equal(second.Bytes(), StreamBytes(10, 5)));
}

// A pool that a peak made large becomes small again, also while blocks are in use all the time.
TEST(SharedBlock, TrimFreesWhatIsNotNeeded)
{
    constexpr size_t Peak = 100;
    SharedBlockPool pool(10);
    std::vector<SharedPiece> pieces;
    for (size_t i = 0; i < Peak; ++i)
        pieces.push_back(pool.Copy(StreamBytes(i, 10)));
    pieces.clear();
    EXPECT_EQ(pool.FreeCount(), Peak);
    pool.Trim(); // from here it counts
    for (size_t i = 0; i < 2 * Peak; ++i)
        EXPECT_TRUE(pool.Copy(StreamBytes(i, 10)).Block); // one at a time
    pool.Trim();
    EXPECT_EQ(pool.FreeCount(), 1u);
}

TEST(SharedBlock, LargerOnesAreNotShared)
{
    SharedBlockPool pool(10);
    EXPECT_FALSE(pool.Copy(StreamBytes(0, 11)).Block);
    EXPECT_TRUE(pool.Copy(StreamBytes(0, 10)).Block);
}

// Logic, and two I/O threads that send the same payloads and let go of them at different times.
TEST(SendQueue, ThreeThreads)
{
    constexpr uint64_t Total = 200'000;
    constexpr uint32_t Capacity = 301;
    SharedBlockPool pool(2 * Capacity);
    std::array<SendQueue, 2> queues;
    std::vector<std::future<bool>> readers;
    const auto deadline = std::chrono::steady_clock::now() + Patience;
    for (SendQueue& queue : queues) {
        queue.Create(Capacity);
        queue.Lend(std::make_unique<std::byte[]>(Capacity), 0);
        readers.push_back(std::async(std::launch::async, [&queue, deadline] {
            Random random(2);
            Reader reader(queue);
            while (reader.Position < Total) {
                const auto taken = reader.Send(random.Between(1, 400), random);
                if (!taken || std::chrono::steady_clock::now() > deadline)
                    return false;
                if (*taken == 0)
                    std::this_thread::yield();
            }
            return true;
        }));
    }
    Random random(1);
    int shared = 0;
    for (uint64_t position = 0; position < Total;) {
        const auto size = static_cast<size_t>(std::min<uint64_t>(random.Between(1, Capacity), Total - position));
        const Bytes bytes = StreamBytes(position, size);
        SharedPiece piece = queues[random.Between(0, 1)].AppendShared(bytes);
        if (!piece.Block)
            piece = pool.Copy(bytes);
        ASSERT_TRUE(piece.Block);
        for (SendQueue& queue : queues) {
            // Mostly when the one before is sent, so that this one is shared.
            while (!random.OneIn(4) && queue.Size() != 0) {
                ASSERT_LT(std::chrono::steady_clock::now(), deadline);
                std::this_thread::yield();
            }
            if (queue.Share(piece)) {
                ++shared;
            } else {
                while (!queue.AddSendData(bytes)) {
                    queue.Publish();
                    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
                    std::this_thread::yield();
                }
            }
            if (random.OneIn(2))
                queue.Publish();
        }
        position += size;
    }
    for (SendQueue& queue : queues)
        queue.Publish();
    for (auto& reader : readers)
        EXPECT_TRUE(reader.get());
    EXPECT_GT(shared, 100);
}

} // namespace
} // namespace NetLib::Test
