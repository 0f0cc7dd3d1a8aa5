// An io_uring by its raw system calls: the rings in shared memory, and buffers that the kernel takes for receives.
#pragma once

#include <linux/io_uring.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "PeerSocket.h"

namespace Peers {

// Memory shared with the kernel.
class Mapping {
public:
    // descriptor -1: memory that no file stands behind. Throws std::system_error.
    Mapping(std::size_t size, int descriptor, std::int64_t offset);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    template <class T>
    [[nodiscard]] T* At(std::size_t offset = 0) const noexcept
    {
        return reinterpret_cast<T*>(static_cast<std::byte*>(m_Memory) + offset);
    }

private:
    void* m_Memory;
    std::size_t m_Size;
};

// A ring whose entries one thread makes and whose completions the same thread takes; completions are only made while it
// is inside Enter (DEFER_TASKRUN). Needs Linux 6.1.
class IoUring {
public:
    // Both a power of two. Throws std::system_error.
    IoUring(unsigned submissions, unsigned completions);

    // A zeroed entry, to be filled in at once. Submits the earlier ones if there is no other way to have one.
    [[nodiscard]] io_uring_sqe& Entry(std::uint8_t opcode, std::uint64_t userData);
    // Submits all entries and, if wait, waits for one completion at least.
    void Enter(bool wait);

    // The completions that are there, oldest first: completion i for i from Head() to Tail(), which may wrap around.
    [[nodiscard]] unsigned Head() const noexcept { return m_LocalHead; }
    [[nodiscard]] unsigned Tail() const noexcept
    {
        return std::atomic_ref(*m_CompletionTail).load(std::memory_order_acquire);
    }
    [[nodiscard]] const io_uring_cqe& Completion(unsigned index) const noexcept
    {
        return m_Completions[index & m_CompletionMask];
    }
    // Gives all completions before index back to the kernel.
    void SetHead(unsigned index) noexcept
    {
        m_LocalHead = index;
        std::atomic_ref(*m_CompletionHead).store(index, std::memory_order_release);
    }

    // io_uring_register. Throws std::system_error with what.
    void Register(unsigned opcode, void* argument, unsigned count, const char* what);

private:
    io_uring_params m_Params;
    Descriptor m_Ring;
    Mapping m_Rings;
    Mapping m_EntryMemory;
    std::span<io_uring_sqe> m_Entries;
    std::span<io_uring_cqe> m_Completions;
    unsigned* m_SubmissionHead;
    unsigned* m_SubmissionTail;
    unsigned* m_CompletionHead;
    unsigned* m_CompletionTail;
    unsigned m_CompletionMask;
    unsigned m_LocalTail = 0; // entries made
    unsigned m_Submitted = 0; // entries the kernel has taken
    unsigned m_LocalHead = 0;
    unsigned m_EnterIndex = 0; // of the ring's descriptor, registered
};

// Buffers of one size from which the kernel takes one for each receive: group 0 of a ring.
class ProvidedBuffers {
public:
    // count is a power of two, up to 32768; size in bytes. Throws std::system_error.
    ProvidedBuffers(IoUring& ring, unsigned count, unsigned size);

    [[nodiscard]] std::span<const std::byte> Data(std::uint16_t buffer, std::size_t size) const noexcept
    {
        return {m_Memory.At<const std::byte>(static_cast<std::size_t>(buffer) * m_Size), size};
    }
    // Gives a buffer back; the kernel sees it at the next Publish.
    void GiveBack(std::uint16_t buffer) noexcept;
    void Publish() noexcept;

private:
    unsigned m_Mask;
    unsigned m_Size;
    Mapping m_Memory;
    Mapping m_RingMemory;
    std::span<io_uring_buf> m_Ring;
    std::uint16_t m_Tail = 0;
};

} // namespace Peers
