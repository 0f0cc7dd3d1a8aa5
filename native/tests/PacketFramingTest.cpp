#include "PacketFraming.h"

#include <array>

#include <gtest/gtest.h>

#include "TestClient.h"

namespace NetLib::Test {
namespace {

using Status = Frame::Status;

template <size_t Size>
constexpr Frame FrameOf(const std::array<uint8_t, Size>& bytes, uint32_t maxPacketSize)
{
    std::array<std::byte, Size> stream{};
    for (size_t i = 0; i < Size; ++i)
        stream[i] = std::byte{bytes[i]};
    return NextFrame(stream, maxPacketSize);
}

static_assert(FrameOf(std::array<uint8_t, 0>{}, 16).Result == Status::Incomplete);
static_assert(FrameOf(std::array<uint8_t, 1>{9}, 16).Result == Status::Incomplete);
static_assert(FrameOf(std::array<uint8_t, 5>{5, 0, 1, 2, 3}, 16).Result == Status::Complete);
static_assert(FrameOf(std::array<uint8_t, 5>{5, 0, 1, 2, 3}, 16).Size == 5);
static_assert(FrameOf(std::array<uint8_t, 2>{4, 0}, 16).Result == Status::TooShort);
static_assert(FrameOf(std::array<uint8_t, 2>{0, 1}, 255).Result == Status::TooLong); // little-endian: 256
static_assert(FrameOf(std::array<uint8_t, 2>{0xFF, 0xFF}, 65535).Result == Status::Incomplete);

// Every length against every size of packet that could be the limit's neighbour.
TEST(PacketFraming, EveryLength)
{
    for (uint32_t length = 0; length <= 65535; ++length) {
        const Bytes header = HeaderOf(static_cast<uint16_t>(length));
        for (const uint32_t max : {length - 1, length, length + 1}) {
            if (max < PacketHeaderLength || max > 65535)
                continue;
            const Frame frame = NextFrame(std::span(header).first(2), max);
            const Status expected = length < PacketHeaderLength ? Status::TooShort
                                    : length > max              ? Status::TooLong
                                                                : Status::Incomplete;
            ASSERT_EQ(frame.Result, expected) << "length " << length << ", limit " << max;
            ASSERT_EQ(frame.Size, length);
        }
    }
}

// A packet is complete with its last byte and not before, and what follows it does not matter.
TEST(PacketFraming, CompleteWithTheLastByte)
{
    for (const uint32_t size : {5u, 6u, 100u, 1024u, 65535u}) {
        Bytes stream = NumberedPacket(size, 1, 1);
        stream.resize(size + 300, std::byte{0xFF});
        for (uint32_t have = 0; have <= size + 300; have += (have < 16 || have + 16 > size ? 1 : 7)) {
            const Frame frame = NextFrame(std::span(stream).first(have), 65535);
            ASSERT_EQ(frame.Result, have < size ? Status::Incomplete : Status::Complete) << have << " of " << size;
            ASSERT_EQ(frame.Size, have < 2 ? 0 : size);
        }
    }
}

// A wrong length is told with its second byte: a client that then says nothing more is not waited for.
TEST(PacketFraming, WrongLengthIsToldAtOnce)
{
    for (uint16_t length = 0; length < PacketHeaderLength; ++length) {
        const Bytes header = HeaderOf(length);
        EXPECT_EQ(NextFrame(std::span(header).first(1), 1024).Result, Status::Incomplete);
        EXPECT_EQ(NextFrame(std::span(header).first(2), 1024).Result, Status::TooShort);
        EXPECT_EQ(NextFrame(header, 1024).Result, Status::TooShort);
    }
    const Bytes header = HeaderOf(1025);
    EXPECT_EQ(NextFrame(std::span(header).first(2), 1024).Result, Status::TooLong);
    EXPECT_EQ(NextFrame(HeaderOf(65535), 1024).Result, Status::TooLong);
}

} // namespace
} // namespace NetLib::Test
