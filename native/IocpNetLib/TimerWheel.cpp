#include "TimerWheel.h"

#include <algorithm>
#include <bit>

namespace NetLib {

void TimerWheel::Arm(TimerNode& node, uint64_t due) noexcept
{
    if (node.TimerArmed)
        Unlink(node);
    node.TimerDue = due;
    Insert(node);
}

void TimerWheel::Disarm(TimerNode& node) noexcept
{
    if (node.TimerArmed)
        Unlink(node);
}

void TimerWheel::Insert(TimerNode& node) noexcept
{
    // What is due now or was before waits for the next tick; what is too far away comes back when the last level's slot
    // is reached.
    constexpr uint64_t Reach = (uint64_t{1} << (SlotBits * Levels)) - 1;
    const uint64_t due = std::clamp(node.TimerDue, m_Now + 1, m_Now + Reach);
    // The highest digit in which due differs from now names the level.
    const unsigned level = std::min(static_cast<unsigned>(63 - std::countl_zero(due ^ m_Now)) / SlotBits, Levels - 1);
    const auto slot = static_cast<unsigned>(due >> (SlotBits * level)) % Slots;
    Link(node, level * Slots + slot);
    m_Occupied[level] |= uint64_t{1} << slot;
}

void TimerWheel::Link(TimerNode& node, unsigned list) noexcept
{
    TimerNode*& first = m_Lists[list];
    node.TimerPrevious = nullptr;
    node.TimerNext = first;
    if (first != nullptr)
        first->TimerPrevious = &node;
    first = &node;
    node.TimerList = static_cast<uint16_t>(list);
    node.TimerArmed = true;
}

void TimerWheel::Unlink(TimerNode& node) noexcept
{
    if (node.TimerPrevious != nullptr)
        node.TimerPrevious->TimerNext = node.TimerNext;
    else
        m_Lists[node.TimerList] = node.TimerNext;
    if (node.TimerNext != nullptr)
        node.TimerNext->TimerPrevious = node.TimerPrevious;
    node.TimerArmed = false;
    if (node.TimerList != DueList && m_Lists[node.TimerList] == nullptr)
        m_Occupied[node.TimerList / Slots] &= ~(uint64_t{1} << (node.TimerList % Slots));
}

uint64_t TimerWheel::NextTick() const noexcept
{
    uint64_t next = Never;
    for (unsigned level = 0; level < Levels; ++level) {
        if (m_Occupied[level] == 0)
            continue;
        const unsigned shift = SlotBits * level;
        const auto slot = static_cast<unsigned>(m_Now >> shift) % Slots;
        // How many slots ahead the next one with timers is, from 1; the current slot, if it has any, is a round ahead.
        const auto ahead =
            1 + static_cast<unsigned>(std::countr_zero(std::rotr(m_Occupied[level], static_cast<int>(slot + 1))));
        next = std::min(next, ((m_Now >> shift) + ahead) << shift);
    }
    return next;
}

void TimerWheel::CollectDue(uint64_t now) noexcept
{
    for (uint64_t tick = NextTick(); tick <= now; tick = NextTick()) {
        m_Now = tick;
        for (unsigned level = Levels; level-- > 0;) {
            const unsigned shift = SlotBits * level;
            if ((tick & ((uint64_t{1} << shift) - 1)) != 0)
                continue; // not at the beginning of a slot of this level
            const unsigned list = level * Slots + static_cast<unsigned>(tick >> shift) % Slots;
            TimerNode* node = m_Lists[list];
            m_Lists[list] = nullptr;
            m_Occupied[level] &= ~(uint64_t{1} << (list % Slots));
            while (node != nullptr) {
                TimerNode* const next = node->TimerNext;
                if (node->TimerDue <= tick)
                    Link(*node, DueList);
                else
                    Insert(*node);
                node = next;
            }
        }
    }
    m_Now = std::max(m_Now, now);
}

} // namespace NetLib
