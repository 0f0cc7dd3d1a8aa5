// How much one client may send: packets and bytes a second.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace NetLib {

// The limits of every connection. 0: no limit.
struct RateLimit {
    uint32_t PacketsPerSecond = 0;
    uint32_t BytesPerSecond = 0;
    std::chrono::nanoseconds Burst{0}; // so much of a second's share may come at once

    [[nodiscard]] bool operator==(const RateLimit&) const noexcept = default;
    [[nodiscard]] bool IsOn() const noexcept { return PacketsPerSecond != 0 || BytesPerSecond != 0; }
};

// What one connection has used of its share: the generic cell rate algorithm (ITU-T I.371), a leaky bucket that needs
// one time and no timer. Belongs to one thread.
class RateMeter {
public:
    using Clock = std::chrono::steady_clock;

    void Begin(Clock::time_point now) noexcept { m_PacketsUsedUntil = m_BytesUsedUntil = now; }

    // Takes the share of a packet of so many bytes, and returns 0; or takes nothing, and returns how long it has to
    // wait. However large a packet is, it passes once the client was silent for long enough.
    [[nodiscard]] std::chrono::nanoseconds Take(const RateLimit& limit, uint32_t bytes, Clock::time_point now) noexcept
    {
        const auto wait = std::max(limit.PacketsPerSecond == 0 ? Clock::duration::zero() : m_PacketsUsedUntil - now,
                                   limit.BytesPerSecond == 0 ? Clock::duration::zero() : m_BytesUsedUntil - now) -
                          limit.Burst;
        if (wait > Clock::duration::zero())
            return wait;
        m_PacketsUsedUntil = Advanced(m_PacketsUsedUntil, 1, limit.PacketsPerSecond, now);
        m_BytesUsedUntil = Advanced(m_BytesUsedUntil, bytes, limit.BytesPerSecond, now);
        return {};
    }

private:
    [[nodiscard]] static Clock::time_point Advanced(Clock::time_point usedUntil, uint64_t amount, uint32_t perSecond,
                                                    Clock::time_point now) noexcept
    {
        if (perSecond == 0)
            return usedUntil;
        return std::max(usedUntil, now) + std::chrono::duration_cast<Clock::duration>(
                                              std::chrono::nanoseconds(amount * 1'000'000'000 / perSecond));
    }

    Clock::time_point m_PacketsUsedUntil{};
    Clock::time_point m_BytesUsedUntil{};
};

} // namespace NetLib
