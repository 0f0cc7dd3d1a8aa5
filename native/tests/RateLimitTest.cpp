#include "RateLimit.h"

#include <gtest/gtest.h>

namespace NetLib {
namespace {

using namespace std::chrono_literals;

constexpr auto Start = RateMeter::Clock::time_point{} + 1h;

RateMeter Begun()
{
    RateMeter meter;
    meter.Begin(Start);
    return meter;
}

TEST(RateLimit, NoneLetsEverythingPass)
{
    RateMeter meter = Begun();
    for (int i = 0; i < 100'000; ++i)
        ASSERT_EQ(meter.Take({}, 65535, Start), 0ns);
}

TEST(RateLimit, ABurstPassesAtOnceAndTheRestAtTheRate)
{
    const RateLimit limit{.PacketsPerSecond = 100, .Burst = 250ms};
    RateMeter meter = Begun();
    for (int i = 0; i < 26; ++i) // the one that is due, and 25 in a quarter of a second
        ASSERT_EQ(meter.Take(limit, 5, Start), 0ns) << i;
    EXPECT_EQ(meter.Take(limit, 5, Start), 10ms);
    EXPECT_EQ(meter.Take(limit, 5, Start + 4ms), 6ms);
    EXPECT_EQ(meter.Take(limit, 5, Start + 10ms), 0ns);
    EXPECT_EQ(meter.Take(limit, 5, Start + 10ms), 10ms);
}

TEST(RateLimit, SilenceEarnsOneBurstAndNoMore)
{
    const RateLimit limit{.PacketsPerSecond = 100, .Burst = 100ms};
    RateMeter meter = Begun();
    int passed = 0;
    while (meter.Take(limit, 5, Start + 1h) == 0ns)
        ++passed;
    EXPECT_EQ(passed, 11);
}

TEST(RateLimit, BytesCountToo)
{
    const RateLimit limit{.BytesPerSecond = 1000, .Burst = 1s};
    RateMeter meter = Begun();
    EXPECT_EQ(meter.Take(limit, 1000, Start), 0ns);
    EXPECT_EQ(meter.Take(limit, 500, Start), 0ns);
    EXPECT_EQ(meter.Take(limit, 1, Start), 500ms);
}

TEST(RateLimit, APacketLargerThanTheBurstPassesAfterSilence)
{
    const RateLimit limit{.BytesPerSecond = 100, .Burst = 1ms};
    RateMeter meter = Begun();
    EXPECT_EQ(meter.Take(limit, 65535, Start), 0ns);
    const auto wait = meter.Take(limit, 65535, Start);
    EXPECT_EQ(wait, 655'350ms - 1ms);
    EXPECT_EQ(meter.Take(limit, 65535, Start + wait), 0ns);
}

TEST(RateLimit, TheStricterOneHolds)
{
    const RateLimit limit{.PacketsPerSecond = 10, .BytesPerSecond = 10, .Burst = 0ms};
    RateMeter meter = Begun();
    EXPECT_EQ(meter.Take(limit, 20, Start), 0ns);
    EXPECT_EQ(meter.Take(limit, 20, Start), 2s);
}

} // namespace
} // namespace NetLib
