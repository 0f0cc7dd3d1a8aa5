// What pools keep for the next time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace NetLib {

// The one that was given last is taken first: its memory is still in the cache. Not thread-safe.
template <class T>
class FreeList {
public:
    // Null when there is none.
    [[nodiscard]] std::unique_ptr<T> Take() noexcept
    {
        if (m_Free.empty()) {
            m_LeastFree = 0;
            return nullptr;
        }
        auto taken = std::move(m_Free.back());
        m_Free.pop_back();
        m_LeastFree = std::min(m_LeastFree, m_Free.size());
        return taken;
    }

    void Give(std::unique_ptr<T> free) noexcept
    {
        try {
            m_Free.push_back(std::move(free));
        } catch (const std::bad_alloc&) { // it is freed instead
        }
    }

    // Frees what was not needed since the last Trim. To be called now and then: so the list keeps what the traffic
    // needs, and what a peak needed goes back to the system.
    void Trim() noexcept
    {
        const size_t unneeded = std::min(m_LeastFree, m_Free.size());
        m_Free.erase(m_Free.begin(), m_Free.begin() + static_cast<std::ptrdiff_t>(unneeded));
        m_LeastFree = m_Free.size();
    }

    [[nodiscard]] size_t Size() const noexcept { return m_Free.size(); }

private:
    size_t m_LeastFree = 0; // since the last Trim
    std::vector<std::unique_ptr<T>> m_Free;
};

} // namespace NetLib
