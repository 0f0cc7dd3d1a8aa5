// One copy of a payload for all receivers of a broadcast.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace NetLib {

class SharedPayloadPool;

// A payload's memory. Constant while somebody refers to it.
class SharedPayload {
public:
    // For the pool. Throws std::bad_alloc. capacity in bytes.
    SharedPayload(SharedPayloadPool& pool, uint32_t capacity)
        : m_Pool(pool), m_Memory(std::make_unique_for_overwrite<std::byte[]>(capacity))
    {
    }

private:
    friend class SharedPayloadPool;
    friend class SharedPayloadRef;

    SharedPayloadPool& m_Pool;
    const std::unique_ptr<std::byte[]> m_Memory;
    uint32_t m_Size = 0;
    std::atomic<uint32_t> m_References{0};
    SharedPayload* m_NextReturned = nullptr; // link of the pool's list, valid while it is in there
};

// Refers to a payload, or to none. The last one that ends gives the payload back to its pool, on any thread.
class SharedPayloadRef {
public:
    SharedPayloadRef() noexcept = default;
    SharedPayloadRef(const SharedPayloadRef& other) noexcept : m_Payload(other.m_Payload)
    {
        if (m_Payload != nullptr)
            m_Payload->m_References.fetch_add(1, std::memory_order_relaxed);
    }
    SharedPayloadRef(SharedPayloadRef&& other) noexcept : m_Payload(std::exchange(other.m_Payload, nullptr)) {}
    SharedPayloadRef& operator=(SharedPayloadRef other) noexcept
    {
        std::swap(m_Payload, other.m_Payload);
        return *this;
    }
    ~SharedPayloadRef() { Reset(); }

    void Reset() noexcept;
    [[nodiscard]] explicit operator bool() const noexcept { return m_Payload != nullptr; }
    // It refers to a payload.
    [[nodiscard]] std::span<const std::byte> Bytes() const noexcept
    {
        return {m_Payload->m_Memory.get(), m_Payload->m_Size};
    }

private:
    friend class SharedPayloadPool;
    explicit SharedPayloadRef(SharedPayload& payload) noexcept : m_Payload(&payload) {} // which counts it already

    SharedPayload* m_Payload = nullptr;
};

// The memory of payloads, all of one size, because a broadcast is nearly always one packet. It belongs to the pool, or
// while it is in use to its references, which the pool has to outlive. There are as many as were needed at once within
// the last second or so: each connection refers to one at most.
class SharedPayloadPool {
public:
    // capacity: bytes of the largest payload that is shared.
    explicit SharedPayloadPool(uint32_t capacity) noexcept : m_Capacity(capacity) {}
    SharedPayloadPool(const SharedPayloadPool&) = delete;
    SharedPayloadPool& operator=(const SharedPayloadPool&) = delete;
    ~SharedPayloadPool() { CollectReturned(); }

    // Refers to a copy of data; to nothing if data is larger than the capacity, or if there is no memory. One thread at
    // a time, as Trim.
    [[nodiscard]] SharedPayloadRef Copy(std::span<const std::byte> data) noexcept;
    // Frees what was not needed since the last Trim, as BufferPool does.
    void Trim() noexcept;

private:
    friend class SharedPayloadRef;

    void Return(SharedPayload& payload) noexcept; // any thread
    void CollectReturned() noexcept;
    [[nodiscard]] std::unique_ptr<SharedPayload> TakeFree() noexcept;

    const uint32_t m_Capacity;
    size_t m_LeastFree = 0; // since the last Trim
    std::vector<std::unique_ptr<SharedPayload>> m_Free;
    std::atomic<SharedPayload*> m_Returned{nullptr}; // owned
};

} // namespace NetLib
