// One connection's socket and the records of its operations, as the backends of this system need them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "io/Socket.h"

#if defined(_WIN32)
#  include <array>
#endif

namespace NetLib {

#if defined(_WIN32)

// The record of one overlapped operation (the original's OVERLAPPED_EX). The system owns it from the call that starts
// the operation until its completion is taken from the port. Overlapped comes first: one address names both.
struct IocpOperation {
    enum class Kind : uint8_t { Accept, Recv, Send };

    OVERLAPPED Overlapped{};
    Kind Type = Kind::Recv;
    bool IsPending = false;
    IoSocket* Owner = nullptr; // Recv, Send
};

struct IoSocket {
    UniqueSocket Socket;
    IocpOperation RecvOperation;
    IocpOperation SendOperation;
    IoSocket* NextClosed = nullptr;
    bool IsClosed = false;        // by Close; OnClosed is still to come
    bool SkipsCompletion = false; // an operation that is done at once makes no completion
};

#else

struct IoSocket {
    UniqueSocket Socket;
    std::span<std::byte> RecvBuffer; // valid while RecvPending
    IoSocket* NextClosed = nullptr;  // both: links of the backend's lists
    IoSocket* NextSend = nullptr;
    bool RecvPending = false;
    bool SendPending = false;

    // ---- epoll
    std::span<const std::byte> SendPieces[2]; // valid while SendPending
    bool Readable = false;                    // an edge was reported and no receive has found the socket empty since
    // The peer ended its side or sent urgent data: a short receive does not mean that the socket is empty.
    bool ShortIsNotEmpty = false;

    // ---- io_uring
    UniqueSocket ClosingSocket;         // closed by Close, kept until the system has ended its operations
    std::unique_ptr<std::byte[]> Stash; // arrived and not asked for yet: [StashBegin, StashEnd)
    uint32_t StashBegin = 0;
    uint32_t StashEnd = 0;
    uint32_t SendEntry = 0;     // UringQueue::Filled after the entry of the pending send
    int RecvError = 0;          // the connection broke; 0: it did not
    uint16_t InKernel = 0;      // operations whose last completion has not come
    bool CancelPending = false; // of everything
    bool RecvEnded = false;     // the peer ended its side, and all that came before was received
    bool IsInSends = false;
    bool SendIsImmediate = false; // pending, and over when the system has taken it unless it says otherwise
    bool IsClosing = false;
};

#endif

} // namespace NetLib
