#include "BufferPool.h"

#include <algorithm>
#include <new>

namespace NetLib {

std::unique_ptr<std::byte[]> BufferPool::Take() noexcept
{
    if (!m_Free.empty()) {
        auto buffer = std::move(m_Free.back());
        m_Free.pop_back();
        m_LeastFree = std::min(m_LeastFree, m_Free.size());
        return buffer;
    }
    m_LeastFree = 0;
    try {
        // Not zeroed: pages that are never written to cost no memory.
        return std::make_unique_for_overwrite<std::byte[]>(m_Size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void BufferPool::Give(std::unique_ptr<std::byte[]> buffer) noexcept
{
    if (buffer == nullptr)
        return;
    try {
        m_Free.push_back(std::move(buffer));
    } catch (const std::bad_alloc&) { // it is freed instead
    }
}

void BufferPool::Trim() noexcept
{
    m_Free.erase(m_Free.begin(), m_Free.begin() + static_cast<std::ptrdiff_t>(m_LeastFree));
    m_LeastFree = m_Free.size();
}

} // namespace NetLib
