// One io_uring instance: its submission and completion rings, mapped, and a ring of provided buffers. What the entries
// mean is IoUring's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <linux/io_uring.h>

#include "io/Socket.h"

namespace NetLib {

// Memory that is shared with the kernel, unmapped at the end.
class UniqueMapping {
public:
    UniqueMapping() noexcept = default;
    // Maps size bytes of ring at offset; with ring -1, fresh memory. Empty (errno tells why) when that fails.
    UniqueMapping(size_t size, int ring, int64_t offset) noexcept;
    UniqueMapping(UniqueMapping&& other) noexcept : m_Memory(std::exchange(other.m_Memory, {})) {}
    UniqueMapping& operator=(UniqueMapping&& other) noexcept
    {
        std::swap(m_Memory, other.m_Memory);
        return *this;
    }
    ~UniqueMapping();

    [[nodiscard]] std::span<std::byte> Memory() const noexcept { return m_Memory; }
    [[nodiscard]] bool IsMapped() const noexcept { return !m_Memory.empty(); }
    template <class T>
    [[nodiscard]] T* At(size_t offset) const noexcept
    {
        return reinterpret_cast<T*>(m_Memory.data() + offset);
    }

private:
    std::span<std::byte> m_Memory;
};

// What became of an entry (the kernel's io_uring_cqe, which C++ cannot copy).
struct UringCompletion {
    uint64_t UserData; // the entry's
    int32_t Result;    // of the operation; negative: an error number
    uint32_t Flags;    // IORING_CQE_F_...
};

// Not thread-safe: one thread at a time.
class UringQueue {
public:
    // entries: of the submission ring; the completion ring has four times as many, and the kernel keeps what does not
    // fit. The error is a sentence.
    [[nodiscard]] static std::expected<UringQueue, std::string> Create(uint32_t entries);

    // An entry to fill, zeroed. When the ring is full it is submitted first. Null only when the kernel takes nothing
    // (it has no memory): the caller tries again later.
    [[nodiscard]] io_uring_sqe* Next() noexcept;
    // Makes room for so many entries that are submitted in one piece, as a chain of linked ones has to be; Next gives them
    // then. False: as when Next gives none.
    [[nodiscard]] bool Reserve(uint32_t entries) noexcept;
    // How many entries were filled since the beginning, modulo 2^32, and how many of those the kernel has taken.
    [[nodiscard]] uint32_t Filled() const noexcept { return m_Tail; }
    [[nodiscard]] uint32_t Taken() const noexcept;
    // Submits what was filled, and waits for a completion if there is none: up to milliseconds (-1: no limit, 0: not at
    // all). Both in one call of the system.
    void Enter(int milliseconds) noexcept;

    // How many completions there are to take.
    [[nodiscard]] uint32_t Completions() const noexcept;
    // Takes the oldest completion, if there is one.
    [[nodiscard]] std::optional<UringCompletion> Pop() noexcept;

    [[nodiscard]] int Register(unsigned opcode, const void* argument, unsigned count) noexcept;

private:
    UringQueue() noexcept = default;
    int Call(uint32_t wanted, int milliseconds) noexcept;

    UniqueSocket m_Ring; // no socket, but it closes the same way
    UniqueMapping m_Rings;
    UniqueMapping m_Entries;
    uint32_t* m_SqHead = nullptr;
    uint32_t* m_SqTail = nullptr;
    uint32_t* m_CqHead = nullptr;
    uint32_t* m_CqTail = nullptr;
    io_uring_cqe* m_Completions = nullptr;
    uint32_t m_SqMask = 0;
    uint32_t m_CqMask = 0;
    uint32_t m_Tail = 0;
};

// Buffers that the kernel picks from when something is received: group 0 of a queue. Where the kernel can (Linux 6.12)
// a buffer is filled piece by piece, so that many small receives share its memory; elsewhere one receive uses one up.
class UringBuffers {
public:
    // Gives the buffers to the queue, which must outlive this. The error is a sentence.
    [[nodiscard]] static std::expected<UringBuffers, std::string> Create(UringQueue& queue);

    // What a completion with IORING_CQE_F_BUFFER received. Valid until Recycle.
    [[nodiscard]] std::span<const std::byte> Received(const UringCompletion& completion) const noexcept;
    // To be called once for each such completion, whatever became of the data: gives the buffer back to the kernel if
    // that is done with it, and otherwise notes how far it is used.
    void Recycle(const UringCompletion& completion) noexcept;

private:
    UringBuffers() noexcept = default;
    void Give(uint16_t id) noexcept;

    UniqueMapping m_Ring;
    UniqueMapping m_Memory;
    uint32_t m_Size = 0; // bytes of a buffer
    uint16_t m_Mask = 0; // buffers - 1
    uint16_t m_Tail = 0;
    bool m_Incremental = false;
    std::vector<uint32_t> m_Used; // by buffer: bytes received into it since it was given
};

} // namespace NetLib
