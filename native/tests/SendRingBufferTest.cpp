#include "SendRingBuffer.h"

#include <algorithm>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "TestClient.h"

namespace NetLib::Test {
namespace {

class SendRingBufferSizes : public testing::TestWithParam<uint32_t> {};

TEST_P(SendRingBufferSizes, RandomStepsAgreeWithTheModel)
{
    const uint32_t capacity = GetParam();
    for (uint32_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        SendRingBuffer ring;
        ring.Create(capacity);
        ring.Lend(std::make_unique<std::byte[]>(capacity), 0);
        uint64_t written = 0;
        uint64_t read = 0;
        for (int step = 0; step < 2000; ++step) {
            if (random.OneIn(2)) {
                // Often exactly what fits, and one byte more.
                const auto room = static_cast<uint32_t>(capacity - (written - read));
                uint32_t size = random.OneIn(4) ? room : random.OneIn(4) ? room + 1 : random.Between(1, capacity);
                size = std::max(size, 1u); // no payload is empty: see IsWellFormed
                const bool added = ring.AddSendData(StreamBytes(written, size));
                ASSERT_EQ(added, size <= room) << size << " bytes into room for " << room;
                if (added)
                    written += size;
            } else {
                const uint32_t wanted = random.Between(1, capacity + 5);
                const auto pieces = ring.GetSendAbleData(wanted);
                const size_t size = pieces[0].size() + pieces[1].size();
                ASSERT_EQ(size, std::min<uint64_t>(wanted, written - read));
                ASSERT_TRUE(!pieces[0].empty() || pieces[1].empty()) << "the first piece is the first to send";
                uint64_t position = read;
                for (const auto& piece : pieces) {
                    for (const std::byte byte : piece)
                        ASSERT_EQ(byte, StreamByte(position++));
                }
                // The system may take less than it was offered, also nothing.
                const uint32_t taken = random.Between(0, static_cast<uint32_t>(size));
                ring.SendCompleted(taken);
                read += taken;
            }
            ASSERT_EQ(ring.Size(), written - read);
        }
        ASSERT_GT(read, 3 * capacity) << "the ring did not go round";
    }
}

INSTANTIATE_TEST_SUITE_P(All, SendRingBufferSizes, testing::Values(1, 2, 5, 16, 63, 1000));

// Whole or not at all: what does not fit leaves no trace.
TEST(SendRingBuffer, WholeOrNothing)
{
    SendRingBuffer ring;
    ring.Create(10);
    ring.Lend(std::make_unique<std::byte[]>(10), 0);
    EXPECT_FALSE(ring.AddSendData(StreamBytes(0, 11)));
    EXPECT_EQ(ring.Size(), 0u);
    EXPECT_TRUE(ring.GetSendAbleData(10)[0].empty());
    EXPECT_TRUE(ring.AddSendData(StreamBytes(0, 7)));
    EXPECT_FALSE(ring.AddSendData(StreamBytes(100, 4)));
    EXPECT_TRUE(ring.AddSendData(StreamBytes(7, 3)));
    const auto pieces = ring.GetSendAbleData(100);
    ASSERT_EQ(pieces[0].size(), 10u);
    for (size_t i = 0; i < 10; ++i)
        EXPECT_EQ(pieces[0][i], StreamByte(i));
}

// A payload of the ring's size fits wherever the ring stands.
TEST(SendRingBuffer, WrapsAtEveryPosition)
{
    constexpr uint32_t Capacity = 32;
    for (uint32_t begin = 1; begin <= Capacity; ++begin) {
        SendRingBuffer ring;
        ring.Create(Capacity);
        ring.Lend(std::make_unique<std::byte[]>(Capacity), 0);
        ASSERT_TRUE(ring.AddSendData(StreamBytes(0, begin)));
        ring.SendCompleted(begin);
        for (uint64_t round = 0; round < 3; ++round) {
            ASSERT_TRUE(ring.AddSendData(StreamBytes(round * Capacity, Capacity)));
            const auto pieces = ring.GetSendAbleData(Capacity);
            ASSERT_EQ(pieces[1].size(), begin % Capacity);
            ASSERT_EQ(pieces[0].size(), Capacity - begin % Capacity);
            uint64_t position = round * Capacity;
            for (const auto& piece : pieces) {
                for (const std::byte byte : piece)
                    ASSERT_EQ(byte, StreamByte(position++));
            }
            ring.SendCompleted(Capacity);
        }
    }
}

TEST(SendRingBuffer, CanBeUsedAgain)
{
    SendRingBuffer ring;
    for (int use = 0; use < 3; ++use) {
        ring.Create(10);
        ring.Lend(std::make_unique<std::byte[]>(10), 0);
        EXPECT_EQ(ring.Size(), 0u);
        EXPECT_TRUE(ring.AddSendData(StreamBytes(0, 8)));
        ring.SendCompleted(3);
        EXPECT_NE(ring.Reclaim(), nullptr);
        EXPECT_FALSE(ring.HasMemory());
        EXPECT_EQ(ring.Size(), 0u);
    }
}

TEST(SendRingBuffer, CountsBeyondFourGigabytes)
{
    // The counters of bytes have 32 bits: they wrap around after 4 GiB.
    constexpr uint32_t Capacity = 8 << 20;
    SendRingBuffer ring;
    ring.Create(Capacity);
    ring.Lend(std::make_unique<std::byte[]>(Capacity), 0);
    const Bytes block(Capacity - 3);
    uint64_t total = 0;
    for (constexpr uint64_t Wrap = uint64_t{1} << 32; total < Wrap + Capacity; total += block.size()) {
        ASSERT_TRUE(ring.AddSendData(block)) << "after " << total << " bytes";
        ASSERT_FALSE(ring.AddSendData(std::span(block).first(4)));
        ASSERT_EQ(ring.Size(), block.size());
        const auto pieces = ring.GetSendAbleData(Capacity);
        ASSERT_EQ(pieces[0].size() + pieces[1].size(), block.size());
        ring.SendCompleted(static_cast<uint32_t>(block.size()));
    }
}

// Logic and the I/O thread as they really are: two threads without a lock.
TEST(SendRingBuffer, TwoThreads)
{
    constexpr uint64_t Total = 300'000;
    SendRingBuffer ring;
    ring.Create(301);
    ring.Lend(std::make_unique<std::byte[]>(301), 0);
    const auto deadline = std::chrono::steady_clock::now() + Patience;
    auto reader = std::async(std::launch::async, [&] {
        Random random(2);
        for (uint64_t position = 0; position < Total;) {
            if (std::chrono::steady_clock::now() > deadline)
                return false;
            const auto pieces = ring.GetSendAbleData(random.Between(1, 400));
            const auto taken = random.Between(0, static_cast<uint32_t>(pieces[0].size() + pieces[1].size()));
            for (uint32_t i = 0; i < taken; ++i) {
                const auto byte = i < pieces[0].size() ? pieces[0][i] : pieces[1][i - pieces[0].size()];
                if (byte != StreamByte(position++))
                    return false;
            }
            ring.SendCompleted(taken);
            if (taken == 0)
                std::this_thread::yield();
        }
        return true;
    });
    Random random(1);
    for (uint64_t position = 0; position < Total;) {
        const auto size = static_cast<size_t>(std::min<uint64_t>(random.Between(1, 301), Total - position));
        const Bytes bytes = StreamBytes(position, size);
        while (!ring.AddSendData(bytes)) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
        position += size;
    }
    EXPECT_TRUE(reader.get()) << "the reader saw a byte that is not the stream's, or was starved";
    EXPECT_EQ(ring.Size(), 0u);
}

} // namespace
} // namespace NetLib::Test
