#include "SharedBlock.h"

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
    if (auto block = m_Free.Take())
        return block;
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
    SharedBlock* lastFirst = m_Returned.exchange(nullptr, std::memory_order_acquire);
    SharedBlock* firstFirst = nullptr;
    while (lastFirst != nullptr) {
        SharedBlock* const next = std::exchange(lastFirst->m_NextReturned, firstFirst);
        firstFirst = std::exchange(lastFirst, next);
    }
    while (firstFirst != nullptr)
        m_Free.Give(std::unique_ptr<SharedBlock>(std::exchange(firstFirst, firstFirst->m_NextReturned)));
}

void SharedBlockPool::Trim() noexcept
{
    CollectReturned();
    m_Free.Trim();
}

} // namespace NetLib
