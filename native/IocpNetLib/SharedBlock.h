// Memory of payloads that have several receivers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "FreeList.h"

namespace NetLib {

class SharedBlockPool;

// Payloads that follow each other. What is in it stays as it is while somebody refers to the block; more may be put behind.
class SharedBlock {
public:
    // For the pool. Throws std::bad_alloc. capacity in bytes.
    SharedBlock(SharedBlockPool& pool, uint32_t capacity)
        : m_Pool(pool), m_Capacity(capacity), m_Memory(std::make_unique_for_overwrite<std::byte[]>(capacity))
    {
    }

private:
    friend class SharedBlockPool;
    friend class SharedBlockRef;

    SharedBlockPool& m_Pool;
    const uint32_t m_Capacity;
    const std::unique_ptr<std::byte[]> m_Memory;
    uint32_t m_Used = 0; // writer only
    std::atomic<uint32_t> m_References{0};
    SharedBlock* m_NextReturned = nullptr; // link of the pool's list, valid while it is in there
};

// Refers to a block, or to none. The last one that ends gives the block back to its pool, on any thread.
class SharedBlockRef {
public:
    SharedBlockRef() noexcept = default;
    SharedBlockRef(const SharedBlockRef& other) noexcept : m_Block(other.m_Block)
    {
        if (m_Block != nullptr)
            m_Block->m_References.fetch_add(1, std::memory_order_relaxed);
    }
    SharedBlockRef(SharedBlockRef&& other) noexcept : m_Block(std::exchange(other.m_Block, nullptr)) {}
    SharedBlockRef& operator=(SharedBlockRef other) noexcept
    {
        std::swap(m_Block, other.m_Block);
        return *this;
    }
    ~SharedBlockRef() { Reset(); }

    void Reset() noexcept
    {
        if (m_Block != nullptr) // nearly all that ever are, are none: no call for those
            Release();
    }
    [[nodiscard]] explicit operator bool() const noexcept { return m_Block != nullptr; }

    // These need a block.
    [[nodiscard]] std::span<const std::byte> Bytes(uint32_t begin, uint32_t end) const noexcept
    {
        return {m_Block->m_Memory.get() + begin, end - begin};
    }
    // Puts data behind what is in the block if that ends at end and there is room. One thread at a time, for each block.
    [[nodiscard]] bool Append(std::span<const std::byte> data, uint32_t end) const noexcept;
    [[nodiscard]] friend bool operator==(const SharedBlockRef&, const SharedBlockRef&) noexcept = default;

private:
    friend class SharedBlockPool;
    void Release() noexcept;
    explicit SharedBlockRef(SharedBlock& block) noexcept : m_Block(&block) {} // which counts it already

    SharedBlock* m_Block = nullptr;
};

// The part of a block that a payload takes, or several that follow each other.
struct SharedPiece {
    SharedBlockRef Block;
    uint32_t Begin = 0; // bytes from the block's begin
    uint32_t End = 0;

    [[nodiscard]] std::span<const std::byte> Bytes() const noexcept { return Block.Bytes(Begin, End); }
};

// Blocks of one size. They belong to the pool, or while they are in use to their references, which the pool has to
// outlive. There are as many as were needed at once within the last second or so: each connection refers to one at most.
class SharedBlockPool {
public:
    // capacity: bytes of a block, and so of the largest payload that is shared.
    explicit SharedBlockPool(uint32_t capacity) noexcept : m_Capacity(capacity) {}
    SharedBlockPool(const SharedBlockPool&) = delete;
    SharedBlockPool& operator=(const SharedBlockPool&) = delete;
    ~SharedBlockPool() { CollectReturned(); }

    // A copy of data, in a block of its own; without a block if data is larger than one, or if there is no memory. One
    // thread at a time, as Trim.
    [[nodiscard]] SharedPiece Copy(std::span<const std::byte> data) noexcept;
    // See FreeList.
    void Trim() noexcept;
    // Blocks that are not in use; as Trim.
    [[nodiscard]] size_t FreeCount() noexcept
    {
        CollectReturned();
        return m_Free.Size();
    }

private:
    friend class SharedBlockRef;

    void Return(SharedBlock& block) noexcept; // any thread
    void CollectReturned() noexcept;
    [[nodiscard]] std::unique_ptr<SharedBlock> TakeFree() noexcept;

    const uint32_t m_Capacity;
    FreeList<SharedBlock> m_Free;
    std::atomic<SharedBlock*> m_Returned{nullptr}; // owned
};

} // namespace NetLib
