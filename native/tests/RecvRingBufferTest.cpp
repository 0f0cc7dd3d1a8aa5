#include "RecvRingBuffer.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "TestClient.h"

namespace NetLib::Test {
namespace {

// A ring beside a model of what it must hold. Every byte follows from its position in the stream, so that a byte that
// was lost, moved or overwritten shows.
class RingAndModel {
public:
    RingAndModel(uint32_t capacity, uint32_t maxPacketSize, uint32_t seed)
        : m_MaxPacketSize(maxPacketSize), m_Capacity(capacity), m_Random(seed)
    {
        Ring.Create(capacity, maxPacketSize);
        Ring.Lend(std::make_unique<std::byte[]>(capacity));
        ChooseNextSize();
    }

    RecvRingBuffer Ring;

    // What the I/O thread does: asks where to receive, and gets some of what it asked for. Everything that it was
    // offered is overwritten first, as the system may do.
    void Receive()
    {
        const uint32_t wanted = m_Random.Between(1, m_Capacity + 3);
        const auto buffer = Ring.GetWriteBuffer(wanted);
        ASSERT_LE(buffer.size(), wanted);
        if (buffer.empty()) {
            // Only what logic holds, or whole packets that were not handed out yet, may keep the ring from receiving.
            ASSERT_TRUE(!m_Held.empty() || Unframed() >= m_NextSize);
            return;
        }
        const auto unframed = Ring.Unframed();
        ASSERT_FALSE(Overlap(buffer, unframed));
        for (const Packet& packet : m_Held)
            ASSERT_FALSE(Overlap(buffer, packet.Bytes));
        for (std::byte& byte : buffer)
            byte = std::byte{0xEE};
        const uint32_t received = m_Random.Between(1, static_cast<uint32_t>(buffer.size()));
        for (uint32_t i = 0; i < received; ++i)
            buffer[i] = StreamByte(m_Received + i);
        Ring.Received(received);
        m_Received += received;
    }

    void HandOut()
    {
        if (Unframed() < m_NextSize)
            return;
        const auto bytes = Ring.Unframed().first(m_NextSize);
        ASSERT_TRUE(IsStream(bytes, m_Framed));
        const uint32_t giveBack = Ring.HandOut(m_NextSize);
        ASSERT_GE(giveBack, m_NextSize);
        m_Held.push_back({bytes, m_Framed, giveBack});
        m_Framed += m_NextSize;
        ChooseNextSize();
    }

    void GiveBack()
    {
        if (m_Held.empty())
            return;
        // At the last moment it must still be what it was.
        ASSERT_TRUE(IsStream(m_Held.front().Bytes, m_Held.front().Position));
        Ring.GiveBack(m_Held.front().GiveBack);
        m_Held.pop_front();
    }

    void Discard()
    {
        Ring.DiscardUnframed();
        m_Framed = m_Received;
    }

    // So many bytes go through the ring, and nobody looks at them.
    void Skip(uint64_t bytes)
    {
        for (uint64_t rest = bytes; rest != 0;) {
            const auto size = static_cast<uint32_t>(std::min<uint64_t>(rest, m_Capacity));
            ASSERT_EQ(Ring.GetWriteBuffer(size).size(), size);
            Ring.Received(size);
            Ring.GiveBack(Ring.HandOut(size));
            rest -= size;
        }
        m_Received += bytes;
        m_Framed += bytes;
    }

    void Check()
    {
        ASSERT_EQ(Ring.Unframed().size(), Unframed());
        ASSERT_TRUE(IsStream(Ring.Unframed(), m_Framed));
        for (const Packet& packet : m_Held)
            ASSERT_TRUE(IsStream(packet.Bytes, packet.Position));
    }

    void RandomStep()
    {
        const uint32_t step = m_Random.Between(1, 100);
        // Phases in which logic is slow, and in which it is quick: the ring is full and empty by turns.
        const uint32_t slowness = m_Random.OneIn(200) ? m_Random.Between(10, 60) : m_Slowness;
        m_Slowness = slowness;
        if (step <= 30)
            Receive();
        else if (step <= 30 + slowness)
            HandOut();
        else if (step <= 99 || !m_Random.OneIn(10))
            GiveBack();
        else
            Discard();
    }

    [[nodiscard]] uint64_t Received() const { return m_Received; }
    [[nodiscard]] bool HoldsAny() const { return !m_Held.empty(); }
    [[nodiscard]] uint64_t Unframed() const { return m_Received - m_Framed; }
    [[nodiscard]] uint32_t NextSize() const { return m_NextSize; }

private:
    struct Packet {
        std::span<const std::byte> Bytes;
        uint64_t Position;
        uint32_t GiveBack;
    };

    static bool Overlap(std::span<const std::byte> a, std::span<const std::byte> b)
    {
        return !a.empty() && !b.empty() && a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
    }
    static bool IsStream(std::span<const std::byte> bytes, uint64_t position)
    {
        for (const std::byte byte : bytes) {
            if (byte != StreamByte(position++))
                return false;
        }
        return true;
    }
    void ChooseNextSize() { m_NextSize = m_Random.OneIn(5) ? m_MaxPacketSize : m_Random.Between(1, m_MaxPacketSize); }

    const uint32_t m_MaxPacketSize;
    const uint32_t m_Capacity;
    Random m_Random;
    uint32_t m_NextSize = 0; // of the packet that begins with the first unframed byte
    uint32_t m_Slowness = 30;
    uint64_t m_Received = 0; // bytes of the stream
    uint64_t m_Framed = 0;
    std::deque<Packet> m_Held;
};

struct Sizes {
    uint32_t Capacity;
    uint32_t MaxPacketSize;
};

void PrintTo(const Sizes& sizes, std::ostream* stream)
{
    *stream << sizes.Capacity << " bytes, packets up to " << sizes.MaxPacketSize;
}

class RecvRingBufferSizes : public testing::TestWithParam<Sizes> {};

TEST_P(RecvRingBufferSizes, RandomStepsAgreeWithTheModel)
{
    for (uint32_t seed = 1; seed <= 20; ++seed) {
        RingAndModel ring(GetParam().Capacity, GetParam().MaxPacketSize, seed);
        for (int step = 0; step < 3000; ++step) {
            ring.RandomStep();
            ring.Check();
            ASSERT_FALSE(HasFatalFailure()) << "seed " << seed << ", step " << step;
        }
        ASSERT_GT(ring.Received(), 3 * GetParam().Capacity) << "the ring did not go round";
    }
}

// Whatever happened before: when logic has given everything back, the packet that has begun can be completed.
TEST_P(RecvRingBufferSizes, ThereIsRoomWhenNothingIsHeld)
{
    for (uint32_t seed = 1; seed <= 50; ++seed) {
        RingAndModel ring(GetParam().Capacity, GetParam().MaxPacketSize, seed);
        for (int step = 0; step < 100; ++step)
            ring.RandomStep();
        while (ring.Unframed() >= ring.NextSize())
            ring.HandOut();
        while (ring.HoldsAny())
            ring.GiveBack();
        while (ring.Unframed() < ring.NextSize()) {
            const uint64_t before = ring.Received();
            ring.Receive();
            ASSERT_GT(ring.Received(), before);
        }
        ring.HandOut();
        ring.Check();
        ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(All, RecvRingBufferSizes,
                         testing::Values(Sizes{5, 5}, Sizes{16, 16}, Sizes{17, 16}, Sizes{31, 16}, Sizes{32, 16},
                                         Sizes{33, 16}, Sizes{64, 5}, Sizes{100, 33}, Sizes{257, 256},
                                         Sizes{1024, 100}));

// Packets of one size that begin and end at every position of the ring, while the packet before is still held.
TEST(RecvRingBuffer, WrapsAtEveryPosition)
{
    constexpr uint32_t Capacity = 64;
    constexpr uint32_t MaxPacketSize = 16;
    for (uint32_t first = 1; first <= MaxPacketSize; ++first) {
        for (uint32_t size = 1; size <= MaxPacketSize; ++size) {
            RecvRingBuffer ring;
            ring.Create(Capacity, MaxPacketSize);
            ring.Lend(std::make_unique<std::byte[]>(Capacity));
            uint64_t received = 0;
            uint64_t framed = 0;
            uint32_t held = 0;
            for (uint32_t packet = 0; packet < 40; ++packet) {
                const uint32_t next = packet == 0 ? first : size;
                while (received - framed < next) {
                    const auto buffer = ring.GetWriteBuffer(static_cast<uint32_t>(framed + next - received));
                    ASSERT_FALSE(buffer.empty()) << "packet " << packet << " of " << size << " after " << first;
                    for (std::byte& byte : buffer)
                        byte = StreamByte(received++);
                    ring.Received(static_cast<uint32_t>(buffer.size()));
                }
                for (const std::byte byte : ring.Unframed().first(next))
                    ASSERT_EQ(byte, StreamByte(framed++));
                const uint32_t giveBack = ring.HandOut(next);
                ring.GiveBack(std::exchange(held, giveBack));
            }
        }
    }
}

TEST(RecvRingBuffer, FullUntilGivenBack)
{
    RecvRingBuffer ring;
    ring.Create(30, 10);
    ring.Lend(std::make_unique<std::byte[]>(30));
    std::array<uint32_t, 3> giveBack{};
    for (uint32_t& bytes : giveBack) {
        ASSERT_EQ(ring.GetWriteBuffer(10).size(), 10u);
        ring.Received(10);
        bytes = ring.HandOut(10);
    }
    EXPECT_TRUE(ring.GetWriteBuffer(1).empty());
    EXPECT_TRUE(ring.GetWriteBuffer(1).empty());
    ring.GiveBack(giveBack[0]);
    EXPECT_EQ(ring.GetWriteBuffer(100).size(), 10u);
    ring.Received(10);
    EXPECT_TRUE(ring.GetWriteBuffer(1).empty());
    ring.GiveBack(giveBack[1]);
    ring.GiveBack(giveBack[2]);
    EXPECT_EQ(ring.GetWriteBuffer(100).size(), 20u);
}

TEST(RecvRingBuffer, DiscardKeepsWhatIsHeld)
{
    RecvRingBuffer ring;
    ring.Create(20, 10);
    ring.Lend(std::make_unique<std::byte[]>(20));
    const auto buffer = ring.GetWriteBuffer(20);
    for (size_t i = 0; i < buffer.size(); ++i)
        buffer[i] = StreamByte(i);
    ring.Received(15);
    const auto held = ring.Unframed().first(10);
    const uint32_t giveBack = ring.HandOut(10);
    ring.DiscardUnframed();
    EXPECT_TRUE(ring.Unframed().empty());
    for (std::byte& byte : ring.GetWriteBuffer(20))
        byte = std::byte{0};
    for (size_t i = 0; i < held.size(); ++i)
        EXPECT_EQ(held[i], StreamByte(i));
    ring.GiveBack(giveBack);
    EXPECT_EQ(ring.GetWriteBuffer(20).size(), 20u);
}

TEST(RecvRingBuffer, CanBeUsedAgain)
{
    RecvRingBuffer ring;
    for (int use = 0; use < 3; ++use) {
        ring.Create(10, 10);
        ring.Lend(std::make_unique<std::byte[]>(10));
        EXPECT_EQ(ring.GetWriteBuffer(10).size(), 10u);
        ring.Received(7);
        (void)ring.HandOut(5); // never given back: the next client must not be charged for it
        EXPECT_NE(ring.Reclaim(), nullptr);
        EXPECT_FALSE(ring.HasMemory());
    }
}

// The counters of bytes have 32 bits and wrap around after 4 GiB: random steps from a little before that.
TEST(RecvRingBuffer, CountsBeyondFourGigabytes)
{
    for (uint32_t seed = 1; seed <= 5; ++seed) {
        RingAndModel ring(4096, 512, seed);
        ring.Skip((uint64_t{1} << 32) - 1000 - 500 * seed);
        for (int step = 0; step < 3000; ++step) {
            ring.RandomStep();
            ring.Check();
            ASSERT_FALSE(HasFatalFailure()) << "seed " << seed << ", step " << step;
        }
        ASSERT_GT(ring.Received(), uint64_t{1} << 32);
    }
}

// The I/O thread and logic as they really are: two threads.
TEST(RecvRingBuffer, TwoThreads)
{
    constexpr uint64_t Total = 300'000;
    struct Packet {
        std::span<const std::byte> Bytes;
        uint32_t GiveBack;
    };
    RecvRingBuffer ring;
    ring.Create(512, 100);
    ring.Lend(std::make_unique<std::byte[]>(512));
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Packet> queue;

    auto logic = std::async(std::launch::async, [&] {
        for (uint64_t position = 0; position < Total;) {
            std::deque<Packet> batch;
            {
                std::unique_lock lock(mutex);
                if (!changed.wait_for(lock, Patience, [&] { return !queue.empty(); }))
                    return false;
                batch.swap(queue);
            }
            for (const Packet& packet : batch) {
                for (const std::byte byte : packet.Bytes) {
                    if (byte != StreamByte(position++))
                        return false;
                }
                ring.GiveBack(packet.GiveBack);
            }
        }
        return true;
    });

    Random random(1);
    uint64_t received = 0;
    const auto deadline = std::chrono::steady_clock::now() + Patience;
    for (uint64_t framed = 0; framed < Total;) {
        const auto size = static_cast<uint32_t>(std::min<uint64_t>(random.Between(1, 100), Total - framed));
        while (ring.Unframed().size() < size) {
            const auto buffer = ring.GetWriteBuffer(random.Between(1, 200));
            for (std::byte& byte : buffer)
                byte = StreamByte(received++);
            ring.Received(static_cast<uint32_t>(buffer.size()));
            if (buffer.empty())
                std::this_thread::yield();
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        }
        const auto bytes = ring.Unframed().first(size);
        const uint32_t giveBack = ring.HandOut(size);
        framed += size;
        const std::lock_guard lock(mutex);
        queue.push_back({bytes, giveBack});
        changed.notify_one();
    }
    EXPECT_TRUE(logic.get()) << "logic saw a byte that is not the stream's";
}

} // namespace
} // namespace NetLib::Test
