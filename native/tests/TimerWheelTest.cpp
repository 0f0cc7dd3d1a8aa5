#include "TimerWheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace NetLib {
namespace {

struct Timer : TimerNode {
    int Name = 0;
};

std::vector<int> AdvanceTo(TimerWheel& wheel, uint64_t now)
{
    std::vector<int> names;
    wheel.Advance(now, [&names](TimerNode& node) { names.push_back(static_cast<Timer&>(node).Name); });
    std::ranges::sort(names);
    return names;
}

TEST(TimerWheel, AnEmptyOneHasNothingToDo)
{
    TimerWheel wheel;
    EXPECT_EQ(wheel.NextTick(), TimerWheel::Never);
    EXPECT_TRUE(AdvanceTo(wheel, 1'000'000).empty());
    EXPECT_EQ(wheel.NextTick(), TimerWheel::Never);
}

TEST(TimerWheel, ExpiresAtItsTickAndNotBefore)
{
    for (const uint64_t start : {uint64_t{0}, uint64_t{63}, uint64_t{4095}, uint64_t{123'456'789}}) {
        for (const uint64_t distance :
             {1, 2, 63, 64, 65, 4095, 4096, 4097, 262'143, 262'144, 20'000'000, 100'000'000}) {
            TimerWheel wheel;
            (void)AdvanceTo(wheel, start);
            Timer timer;
            timer.Name = 7;
            wheel.Arm(timer, start + distance);
            EXPECT_LE(wheel.NextTick(), start + distance);
            EXPECT_TRUE(AdvanceTo(wheel, start + distance - 1).empty()) << start << " + " << distance;
            EXPECT_TRUE(timer.TimerArmed);
            EXPECT_EQ(wheel.NextTick(), start + distance);
            EXPECT_EQ(AdvanceTo(wheel, start + distance), std::vector{7}) << start << " + " << distance;
            EXPECT_FALSE(timer.TimerArmed);
            EXPECT_EQ(wheel.NextTick(), TimerWheel::Never);
        }
    }
}

TEST(TimerWheel, WhatIsOverdueExpiresWithTheNextTick)
{
    TimerWheel wheel;
    (void)AdvanceTo(wheel, 1000);
    Timer timer;
    wheel.Arm(timer, 5);
    EXPECT_EQ(wheel.NextTick(), 1001u);
    EXPECT_EQ(AdvanceTo(wheel, 1001).size(), 1u);
}

TEST(TimerWheel, ADisarmedTimerDoesNotExpire)
{
    TimerWheel wheel;
    Timer first, second;
    second.Name = 2;
    wheel.Arm(first, 10);
    wheel.Arm(second, 10);
    wheel.Disarm(first);
    wheel.Disarm(first);
    EXPECT_EQ(AdvanceTo(wheel, 100), std::vector{2});
}

TEST(TimerWheel, WhatExpiresMayDisarmAndArmOthersAndItself)
{
    TimerWheel wheel;
    Timer timers[3];
    for (Timer& timer : timers)
        wheel.Arm(timer, 10);
    int calls = 0;
    wheel.Advance(10, [&](TimerNode& node) {
        ++calls;
        for (Timer& timer : timers)
            wheel.Disarm(timer);
        wheel.Arm(node, 10); // the past: next time
    });
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(wheel.NextTick(), 11u);
    wheel.Advance(11, [&](TimerNode&) { ++calls; });
    EXPECT_EQ(calls, 2);
}

TEST(TimerWheel, AgreesWithASortedMap)
{
    for (uint32_t seed = 0; seed < 30; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&random](uint64_t limit) { return random() % limit; };
        TimerWheel wheel;
        std::vector<Timer> timers(50);
        std::map<int, uint64_t> due; // by name
        for (int i = 0; i < 50; ++i)
            timers[static_cast<size_t>(i)].Name = i;
        uint64_t now = below(1'000'000);
        (void)AdvanceTo(wheel, now);
        for (int step = 0; step < 2000; ++step) {
            const auto name = static_cast<int>(below(50));
            Timer& timer = timers[static_cast<size_t>(name)];
            switch (below(4)) {
            case 0:
                wheel.Disarm(timer);
                due.erase(name);
                break;
            case 1: {
                const uint64_t tick = now + 1 + below(uint64_t{1} << below(26));
                wheel.Arm(timer, tick);
                due[name] = tick;
                break;
            }
            default: {
                now += below(uint64_t{1} << below(20));
                std::vector<int> expected;
                for (const auto& [who, tick] : due) {
                    if (tick <= now)
                        expected.push_back(who);
                }
                for (const int who : expected)
                    due.erase(who);
                ASSERT_EQ(AdvanceTo(wheel, now), expected) << "seed " << seed << " step " << step;
                break;
            }
            }
            uint64_t first = TimerWheel::Never;
            for (const auto& [who, tick] : due)
                first = std::min(first, tick);
            ASSERT_LE(wheel.NextTick(), first);
            ASSERT_EQ(wheel.NextTick() == TimerWheel::Never, due.empty());
        }
    }
}

} // namespace
} // namespace NetLib
