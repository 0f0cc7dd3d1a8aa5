#include "BufferPool.h"

#include <new>
#include <utility>

namespace NetLib {

std::unique_ptr<std::byte[]> BufferPool::Take() noexcept
{
    if (auto buffer = m_Free.Take())
        return buffer;
    try {
        // Not zeroed: pages that are never written to cost no memory.
        return std::make_unique_for_overwrite<std::byte[]>(m_Size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void BufferPool::Give(std::unique_ptr<std::byte[]> buffer) noexcept
{
    if (buffer != nullptr)
        m_Free.Give(std::move(buffer));
}

} // namespace NetLib
