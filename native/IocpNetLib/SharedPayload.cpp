#include "SharedPayload.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace NetLib {

void SharedPayloadRef::Reset() noexcept
{
    SharedPayload* const payload = std::exchange(m_Payload, nullptr);
    // acq_rel: who uses the memory next comes after everybody who has read it.
    if (payload != nullptr && payload->m_References.fetch_sub(1, std::memory_order_acq_rel) == 1)
        payload->m_Pool.Return(*payload);
}

SharedPayloadRef SharedPayloadPool::Copy(std::span<const std::byte> data) noexcept
{
    if (data.size() > m_Capacity)
        return {};
    auto payload = TakeFree();
    if (payload == nullptr)
        return {};
    std::memcpy(payload->m_Memory.get(), data.data(), data.size());
    payload->m_Size = static_cast<uint32_t>(data.size());
    payload->m_References.store(1, std::memory_order_relaxed);
    return SharedPayloadRef(*payload.release());
}

std::unique_ptr<SharedPayload> SharedPayloadPool::TakeFree() noexcept
{
    if (m_Free.empty())
        CollectReturned();
    if (!m_Free.empty()) {
        auto payload = std::move(m_Free.back()); // its memory is still in the cache
        m_Free.pop_back();
        m_LeastFree = std::min(m_LeastFree, m_Free.size());
        return payload;
    }
    m_LeastFree = 0;
    try {
        return std::make_unique<SharedPayload>(*this, m_Capacity);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void SharedPayloadPool::Return(SharedPayload& payload) noexcept
{
    payload.m_NextReturned = m_Returned.load(std::memory_order_relaxed);
    while (!m_Returned.compare_exchange_weak(payload.m_NextReturned, &payload, std::memory_order_release,
                                             std::memory_order_relaxed)) {
    }
}

void SharedPayloadPool::CollectReturned() noexcept
{
    // All at once: so none can be taken and returned between the look at the first and its removal.
    SharedPayload* returned = m_Returned.exchange(nullptr, std::memory_order_acquire);
    while (returned != nullptr) {
        std::unique_ptr<SharedPayload> payload(std::exchange(returned, returned->m_NextReturned));
        try {
            m_Free.push_back(std::move(payload));
        } catch (const std::bad_alloc&) { // it is freed instead
        }
    }
}

void SharedPayloadPool::Trim() noexcept
{
    CollectReturned();
    const size_t unneeded = std::min(m_LeastFree, m_Free.size());
    m_Free.erase(m_Free.begin(), m_Free.begin() + static_cast<std::ptrdiff_t>(unneeded));
    m_LeastFree = m_Free.size();
}

} // namespace NetLib
