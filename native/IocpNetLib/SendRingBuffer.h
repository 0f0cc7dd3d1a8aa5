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
// thread), which therefore need no lock between them for the bytes. The memory is lent for as long as there are any.
class SendRingBuffer {
public:
    // No memory yet. capacity is in bytes.
    void Create(uint32_t capacity) noexcept;
    [[nodiscard]] uint32_t Capacity() const noexcept { return m_Capacity; }

    // These three: while the other side does not use the ring (the server's logic mutex).
    [[nodiscard]] bool HasMemory() const noexcept { return m_Buffer != nullptr; }
    // Takes capacity bytes; it has none. begin, below capacity, is where it begins to write: rings that all begin at
    // the same offset of a page would compete for the same lines of the cache.
    void Lend(std::unique_ptr<std::byte[]> memory, uint32_t begin) noexcept;
    // Gives the memory back, and with it what was not sent.
    [[nodiscard]] std::unique_ptr<std::byte[]> Reclaim() noexcept;

    // Writer; it has memory. Data goes in whole or, if there is no room (false), not at all.
    [[nodiscard]] bool AddSendData(std::span<const std::byte> data) noexcept;

    // Reader: what is to be sent next, at most wanted bytes, in up to two pieces (the second follows the first).
    [[nodiscard]] std::array<std::span<const std::byte>, 2> GetSendAbleData(uint32_t wanted) const noexcept;
    // Reader: the first bytes of it are sent.
    void SendCompleted(uint32_t bytes) noexcept;

    // Bytes that wait. Exact for the reader and the writer while the other one rests.
    [[nodiscard]] uint32_t Size() const noexcept;

private:
    std::unique_ptr<std::byte[]> m_Buffer;
    uint32_t m_Capacity = 0;
    uint32_t m_WritePos = 0; // writer only
    uint32_t m_ReadPos = 0;  // reader only
    // Both count bytes since Create and wrap around; only their difference, at most m_Capacity, is used.
    std::atomic<uint32_t> m_Written{0};
    std::atomic<uint32_t> m_Read{0};
};

} // namespace NetLib
