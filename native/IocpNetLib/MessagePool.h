// Pre-created messages: what waits for logic is bounded by their number.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "Message.h"

namespace NetLib {

// Holds count + extra messages, made once. The extra ones are a reserve: they are used like the others, but using them
// is counted, as a warning that the pool is too small for the load.
//
// When it is empty, the I/O thread that wanted one is remembered, and the next Free names it, so that it can go on:
// reading pauses and resumes by itself.
//
// Any thread may call any member.
class MessagePool {
public:
    // Throws std::bad_alloc.
    MessagePool(uint32_t count, uint32_t extra);

    // Fills as much of messages as it can. If that is not all of it, the bit of workerIndex (0 to 63) is remembered.
    // Messages that were used before keep their contents.
    [[nodiscard]] uint32_t Allocate(std::span<Message*> messages, uint32_t workerIndex) noexcept;

    // Takes a list back. Returns, as bits, the workers to wake because they wanted messages.
    [[nodiscard]] uint64_t Free(const MessageList& messages) noexcept;

    struct Usage {
        uint64_t InUse;
        uint64_t ReserveUsed; // times that the reserve was begun
    };
    [[nodiscard]] Usage GetUsage() const noexcept;

private:
    mutable std::mutex m_Mutex;
    std::unique_ptr<Message[]> m_Messages;
    Message* m_Free = nullptr;
    uint32_t m_FreeCount = 0;
    uint32_t m_Total = 0;
    uint32_t m_Reserve = 0;
    uint64_t m_WaitingWorkers = 0;
    uint64_t m_ReserveUsed = 0;
};

} // namespace NetLib
