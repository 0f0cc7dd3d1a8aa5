// The places for connections, made once.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "Connection.h"

namespace NetLib {

// Any thread may Take, Return and ask for InUse; Find tells where a place is, and nothing of its state.
class ConnectionPool {
public:
    // Throws std::bad_alloc.
    ConnectionPool(uint32_t count, uint32_t lastGeneration);

    // A free place, or null when all are in use. The place that has been free longest comes first, so that ids of
    // earlier clients stay recognisable as long as possible.
    [[nodiscard]] Connection* Take() noexcept;
    void Return(Connection& connection) noexcept;

    [[nodiscard]] uint32_t InUse() const noexcept;

    // The highest generation in the pool. Only while nothing is taken.
    [[nodiscard]] uint32_t LastGeneration() const noexcept;

    // The place of index, null if there is none.
    [[nodiscard]] Connection* Find(uint32_t index) noexcept
    {
        return index < m_Connections.size() ? &m_Connections[index] : nullptr;
    }

private:
    std::vector<Connection> m_Connections;
    mutable std::mutex m_Mutex;
    // A ring of free indices.
    std::vector<uint32_t> m_Free;
    uint32_t m_FirstFree = 0;
    uint32_t m_FreeCount = 0;
};

} // namespace NetLib
