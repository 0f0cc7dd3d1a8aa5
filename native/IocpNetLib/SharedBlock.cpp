#include "SharedBlock.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace NetLib {

void SharedBlockRef::Release() noexcept
{
    SharedBlock* const block = std::exchange(m_Block, nullptr);
    // acq_rel: who uses the memory next comes after everybody who has read it.
    if (block->m_References.fetch_sub(1, std::memory_order_acq_rel) == 1)
        block->m_Pool.Return(*block);
}

bool SharedBlockRef::Append(std::span<const std::byte> data, uint32_t end) const noexcept
{
    if (m_Block->m_Used != end || data.size() > m_Block->m_Capacity - end)
        return false;
    std::memcpy(m_Block->m_Memory.get() + end, data.data(), data.size());
    m_Block->m_Used = end + static_cast<uint32_t>(data.size());
    return true;
}

SharedPiece SharedBlockPool::Copy(std::span<const std::byte> data) noexcept
{
    if (data.size() > m_Capacity)
        return {};
    auto block = TakeFree();
    if (block == nullptr)
        return {};
    block->m_Used = 0;
    block->m_References.store(1, std::memory_order_relaxed);
    SharedPiece piece{SharedBlockRef(*block.release()), 0, static_cast<uint32_t>(data.size())};
    (void)piece.Block.Append(data, 0); // it fits
    return piece;
}

std::unique_ptr<SharedBlock> SharedBlockPool::TakeFree() noexcept
{
    if (m_Returned.load(std::memory_order_relaxed) != nullptr)
        CollectReturned();
    if (!m_Free.empty()) {
        auto block = std::move(m_Free.back()); // the one returned last: its memory is still in the cache
        m_Free.pop_back();
        m_LeastFree = std::min(m_LeastFree, m_Free.size());
        return block;
    }
    m_LeastFree = 0;
    try {
        return std::make_unique<SharedBlock>(*this, m_Capacity);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void SharedBlockPool::Return(SharedBlock& block) noexcept
{
    block.m_NextReturned = m_Returned.load(std::memory_order_relaxed);
    while (!m_Returned.compare_exchange_weak(block.m_NextReturned, &block, std::memory_order_release,
                                             std::memory_order_relaxed)) {
    }
}

void SharedBlockPool::CollectReturned() noexcept
{
    // All at once: so none can be taken and returned between the look at the first and its removal.
    SharedBlock* returned = m_Returned.exchange(nullptr, std::memory_order_acquire); // the last one first
    const auto before = static_cast<std::ptrdiff_t>(m_Free.size());
    while (returned != nullptr) {
        std::unique_ptr<SharedBlock> block(std::exchange(returned, returned->m_NextReturned));
        try {
            m_Free.push_back(std::move(block));
        } catch (const std::bad_alloc&) { // it is freed instead
        }
    }
    std::reverse(m_Free.begin() + before, m_Free.end());
}

void SharedBlockPool::Trim() noexcept
{
    CollectReturned();
    const size_t unneeded = std::min(m_LeastFree, m_Free.size());
    m_Free.erase(m_Free.begin(), m_Free.begin() + static_cast<std::ptrdiff_t>(unneeded));
    m_LeastFree = m_Free.size();
}

} // namespace NetLib
