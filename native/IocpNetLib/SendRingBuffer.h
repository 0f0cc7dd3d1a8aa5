// The send ring of one connection.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace NetLib {

// A ring of bytes with one writer (logic; its calls are serialised by the server) and one reader (the connection's I/O
// thread), which therefore need no lock between them. The memory is allocated by the first write: a connection that is
// never sent anything costs none.
class SendRingBuffer {
public:
    // What AddSendData did. Data goes in whole or not at all.
    enum class Added : uint8_t { Yes, Full, NoMemory };

    // No memory yet. capacity is in bytes.
    void Create(uint32_t capacity) noexcept;
    // Frees the memory. Logic does not write any more.
    void Destroy() noexcept;

    // Writer.
    [[nodiscard]] Added AddSendData(std::span<const std::byte> data) noexcept;

    // Reader: what is to be sent next, at most wanted bytes, in up to two pieces (the second follows the first).
    [[nodiscard]] std::array<std::span<const std::byte>, 2> GetSendAbleData(uint32_t wanted) const noexcept;
    // Reader: the first bytes of it are sent.
    void SendCompleted(uint32_t bytes) noexcept;

    // Bytes that wait. Exact for the reader and the writer while the other one rests.
    [[nodiscard]] uint32_t Size() const noexcept;

private:
    std::unique_ptr<std::byte[]> m_Buffer; // set by the writer before the first m_Written that covers it
    uint32_t m_Capacity = 0;
    uint32_t m_WritePos = 0; // writer only
    uint32_t m_ReadPos = 0;  // reader only
    // Both count bytes since Create and wrap around; only their difference, at most m_Capacity, is used.
    std::atomic<uint32_t> m_Written{0};
    std::atomic<uint32_t> m_Read{0};
};

} // namespace NetLib
