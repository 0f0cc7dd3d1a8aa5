// Timers of one I/O thread: arming, moving and disarming one costs the same however many there are.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace NetLib {

// A part of whatever waits for a time. It is in one wheel at most, and must be disarmed before it ends.
struct TimerNode {
    TimerNode* TimerNext = nullptr;
    TimerNode* TimerPrevious = nullptr;
    uint64_t TimerDue = 0;  // tick
    uint16_t TimerList = 0; // of the wheel
    bool TimerArmed = false;
};

// A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987): levels of 64 slots,
// a slot of one level as long as all slots of the level below. A timer waits in the level that its distance fits, and
// moves down when its slot is reached. A bit a slot tells where timers are, so nothing is searched.
//
// Time is a number of ticks, of whatever length, that only grows. It allocates nothing. One thread.
class TimerWheel {
public:
    static constexpr uint64_t Never = std::numeric_limits<uint64_t>::max();

    TimerWheel() noexcept = default;
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    // Makes node expire when Advance reaches tick due, which may have passed. It may be armed already.
    void Arm(TimerNode& node, uint64_t due) noexcept;
    // Does nothing if node is not armed.
    void Disarm(TimerNode& node) noexcept;

    // A tick at which Advance has something to do, at most the first that a timer expires at; Never if there is none.
    [[nodiscard]] uint64_t NextTick() const noexcept;

    // Goes on to tick now and calls expired(TimerNode&) for each timer that is due, disarmed before. It may arm and
    // disarm any timer; one that it arms for now or earlier expires in the next call.
    template <class Expired>
    void Advance(uint64_t now, Expired expired)
    {
        CollectDue(now);
        while (TimerNode* const node = m_Lists[DueList]) {
            Unlink(*node);
            expired(*node);
        }
    }

private:
    static constexpr unsigned SlotBits = 6;
    static constexpr unsigned Slots = 1u << SlotBits;
    static constexpr unsigned Levels = 4;               // 2^24 ticks; what is further away waits in the last slot
    static constexpr unsigned DueList = Levels * Slots; // expired, not yet reported

    void Insert(TimerNode& node) noexcept;
    void Link(TimerNode& node, unsigned list) noexcept;
    void Unlink(TimerNode& node) noexcept;
    void CollectDue(uint64_t now) noexcept;

    std::array<TimerNode*, Levels * Slots + 1> m_Lists{};
    std::array<uint64_t, Levels> m_Occupied{}; // a bit for each slot that has timers
    uint64_t m_Now = 0;                        // everything due up to here has expired
};

} // namespace NetLib
