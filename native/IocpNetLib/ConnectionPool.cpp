#include "ConnectionPool.h"

#include <algorithm>

namespace NetLib {

ConnectionPool::ConnectionPool(uint32_t count, uint32_t lastGeneration)
    : m_Connections(count), m_Free(count), m_FreeCount(count)
{
    for (uint32_t i = 0; i < count; ++i) {
        m_Connections[i].Index = i;
        m_Connections[i].Generation = lastGeneration;
        m_Free[i] = i;
    }
}

Connection* ConnectionPool::Take() noexcept
{
    const std::lock_guard lock(m_Mutex);
    if (m_FreeCount == 0)
        return nullptr;
    const uint32_t index = m_Free[m_FirstFree];
    m_FirstFree = m_FirstFree + 1 == m_Free.size() ? 0 : m_FirstFree + 1;
    --m_FreeCount;
    return &m_Connections[index];
}

void ConnectionPool::Return(Connection& connection) noexcept
{
    const std::lock_guard lock(m_Mutex);
    const size_t end = (size_t{m_FirstFree} + m_FreeCount) % m_Free.size();
    m_Free[end] = connection.Index;
    ++m_FreeCount;
}

uint32_t ConnectionPool::InUse() const noexcept
{
    const std::lock_guard lock(m_Mutex);
    return static_cast<uint32_t>(m_Free.size()) - m_FreeCount;
}

uint32_t ConnectionPool::LastGeneration() const noexcept
{
    uint32_t last = 0;
    for (const Connection& connection : m_Connections)
        last = std::max(last, connection.Generation);
    return last;
}

} // namespace NetLib
