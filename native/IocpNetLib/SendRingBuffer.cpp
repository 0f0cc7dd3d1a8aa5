#include "SendRingBuffer.h"

#include <algorithm>
#include <cstring>

namespace NetLib {

void SendRingBuffer::Create(uint32_t capacity) noexcept
{
    m_Capacity = capacity;
    m_WritePos = m_ReadPos = 0;
    m_Written.store(0, std::memory_order_relaxed);
    m_Read.store(0, std::memory_order_relaxed);
}

void SendRingBuffer::Lend(std::unique_ptr<std::byte[]> memory, uint32_t begin) noexcept
{
    m_Buffer = std::move(memory);
    m_WritePos = m_ReadPos = begin;
}

std::unique_ptr<std::byte[]> SendRingBuffer::Reclaim() noexcept
{
    m_Read.store(m_Written.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return std::move(m_Buffer);
}

bool SendRingBuffer::AddSendData(std::span<const std::byte> data) noexcept
{
    const uint32_t written = m_Written.load(std::memory_order_relaxed);
    const uint32_t free = m_Capacity - (written - m_Read.load(std::memory_order_acquire));
    if (data.size() > free)
        return false;
    const size_t untilEnd = std::min<size_t>(data.size(), m_Capacity - m_WritePos);
    std::memcpy(m_Buffer.get() + m_WritePos, data.data(), untilEnd);
    if (untilEnd < data.size())
        std::memcpy(m_Buffer.get(), data.data() + untilEnd, data.size() - untilEnd);
    const auto size = static_cast<uint32_t>(data.size());
    m_WritePos = size < m_Capacity - m_WritePos ? m_WritePos + size : size - (m_Capacity - m_WritePos);
    m_Written.store(written + size, std::memory_order_release);
    return true;
}

std::array<std::span<const std::byte>, 2> SendRingBuffer::GetSendAbleData(uint32_t wanted) const noexcept
{
    const uint32_t size = std::min(wanted, Size());
    if (size == 0)
        return {}; // whatever else is here may be the writer's at this moment
    const uint32_t untilEnd = std::min(size, m_Capacity - m_ReadPos);
    return {std::span<const std::byte>{m_Buffer.get() + m_ReadPos, untilEnd},
            std::span<const std::byte>{m_Buffer.get(), size - untilEnd}};
}

void SendRingBuffer::SendCompleted(uint32_t bytes) noexcept
{
    m_ReadPos = bytes < m_Capacity - m_ReadPos ? m_ReadPos + bytes : bytes - (m_Capacity - m_ReadPos);
    m_Read.store(m_Read.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
}

uint32_t SendRingBuffer::Size() const noexcept
{
    return m_Written.load(std::memory_order_acquire) - m_Read.load(std::memory_order_acquire);
}

} // namespace NetLib
