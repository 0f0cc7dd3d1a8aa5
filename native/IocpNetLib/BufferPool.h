// Buffers of one size, lent to connections while these need them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "FreeList.h"

namespace NetLib {

// A connection that is idle holds no buffer. Not thread-safe.
class BufferPool {
public:
    // size: bytes of each buffer.
    explicit BufferPool(uint32_t size) noexcept : m_Size(size) {}

    // Null when there is no memory.
    [[nodiscard]] std::unique_ptr<std::byte[]> Take() noexcept;
    void Give(std::unique_ptr<std::byte[]> buffer) noexcept;
    // See FreeList.
    void Trim() noexcept { m_Free.Trim(); }

private:
    const uint32_t m_Size;
    FreeList<std::byte[]> m_Free;
};

} // namespace NetLib
