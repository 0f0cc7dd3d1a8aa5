// One client connection: its rings, its state, and the count of what is still pending on it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "IocpNetLib.h"
#include "Message.h"
#include "ProxyHeader.h"
#include "RateLimit.h"
#include "RecvRingBuffer.h"
#include "SendQueue.h"
#include "TimerWheel.h"
#include "io/Io.h"

namespace NetLib {

class IOWorker;

enum class CloseReason : uint16_t {
    None = NetLib_CloseReason_None,
    PeerClosed = NetLib_CloseReason_PeerClosed,
    PeerReset = NetLib_CloseReason_PeerReset,
    PacketTooShort = NetLib_CloseReason_PacketTooShort,
    PacketTooLong = NetLib_CloseReason_PacketTooLong,
    SendBufferFull = NetLib_CloseReason_SendBufferFull,
    Logic = NetLib_CloseReason_Logic,
    ServerStop = NetLib_CloseReason_ServerStop,
    OutOfMemory = NetLib_CloseReason_OutOfMemory,
    FirstPacketTimeout = NetLib_CloseReason_FirstPacketTimeout,
    IdleTimeout = NetLib_CloseReason_IdleTimeout,
    PeerTimeout = NetLib_CloseReason_PeerTimeout,
    ProxyHeaderInvalid = NetLib_CloseReason_ProxyHeaderInvalid,
    ProxyHeaderNotAllowed = NetLib_CloseReason_ProxyHeaderNotAllowed,
};

// How far the beginning of what a client sends has been looked at.
enum class Opening : uint8_t {
    Header,    // a PROXY header has to come first
    Signature, // packets have to come, but it may yet be a PROXY header
    Over,      // packets come
};

// What another thread asks a connection's I/O thread to do. Bits.
enum class Attention : uint32_t {
    Adopt = 1,         // the connection was accepted: start it
    Send = 2,          // the send queue has data
    ResumeRecv = 4,    // logic gave back bytes that reading waits for
    CloseTaken = 8,    // logic gave the Close back: nothing more will be sent
    Disconnect = 16,   // logic wants it closed
    SendFull = 32,     // the send queue was full
    SendNoMemory = 64, // the send ring could not be allocated
};

// A place for one client after another. Life of a client:
//
//   free -> accepted -> receiving -> Close queued to logic -> Close taken by logic -> sent or timed out -> socket
//   closed -> no operation pending -> free
//
// One that a PROXY header has to begin is told to logic only when that is complete; if it ends before, there is no Close
// to be queued and taken.
//
// The receiving side ends first (the peer closed, a violation, logic's wish, a stop): then the Close is queued behind
// the packets that were accepted. The sending side stays open until logic has taken the Close, so answers to those
// packets still go out. Only a broken connection is closed at once.
//
// Members are grouped by the one thread that may touch them.
class Connection : public IoSocket, public TimerNode {
public:
    // Set once, when the pool is made.
    uint32_t Index = 0;

    // ---- Acceptor, before the Adopt attention; constant from then until the slot is free again.
    uint32_t Generation = 0;
    IOWorker* Worker = nullptr;
    UniqueSocket AcceptedSocket;

    // ---- Acceptor, before the Adopt attention; then the connection's I/O thread, until it has told logic.
    SocketAddress::TextBuffer Peer{}; // text, for logs and for logic
    bool IsPeerKnown = false;         // it had not gone when it was asked for
    Opening Opens = Opening::Over;

    // ---- The connection's I/O thread.
    bool IsTold = false;        // logic is told of it
    bool IsHeldTooLong = false; // what it sent, and was dropped, is too long a packet unless it is a PROXY header
    ProxySignature Signature;   // for Opening::Signature
    std::unique_ptr<ProxyHeaderReader> Header; // for Opening::Header
    RecvRingBuffer Recv;
    CloseReason Reason = CloseReason::None;
    bool Adopted = false;    // the worker has it: from the Adopt attention until it is free
    bool Receiving = false;  // packets are read and framed
    bool CloseTaken = false; // logic has given the Close back
    bool PeerEnded = false;  // the peer ended its sending side
    bool SendShutdown = false;
    bool RecvInFlight = false;
    bool IsRecvWait = false;      // the receive in flight has no buffer: it waits for something to receive
    bool IsRecvCancelled = false; // the receive in flight was asked to end, so that its buffer becomes free
    bool IsRecvIdle = false; // nothing was received since a look at idle connections: the next receive has no buffer
    bool SendInFlight = false;
    bool IsIoOver = false;         // the socket is closed, and the system uses nothing of this any more
    bool IsRecvLent = false;       // in the worker's list of connections whose receive ring has memory
    bool IsSendDrained = false;    // in the worker's list of connections whose send ring may give its memory back
    bool IsRecvQueued = false;     // in the worker's list of connections that have more to receive
    bool WaitsForMessages = false; // in the worker's list of connections that the message pool could not serve
    uint32_t WorkerPosition = 0;   // in the worker's list of its connections
    bool IsRecvPaused = false;     // reading rests until the ResumeRecv attention
    bool HasSentPacket = false;    // a whole one
    bool IsThrottled = false;      // reading rests until ResumeAt: the client sends more than it may
    bool HasBeenThrottled = false; // which is logged once
    bool IsRateOff = false;        // it ends: what was received is delivered at once
    RateMeter Rate;
    // Times that the worker's timer looks at. Deadline ends the closing; max: none.
    std::chrono::steady_clock::time_point Deadline = std::chrono::steady_clock::time_point::max();
    std::chrono::steady_clock::time_point ResumeAt{};
    std::chrono::steady_clock::time_point LastPacket{}; // when it was handed to logic; before the first: the accept

    // ---- Shared.
    // Reading rests until logic gives bytes back. The I/O thread sets it and then looks at the ring again; logic gives
    // back and then looks at it: with sequential consistency one of them sees the other.
    std::atomic<bool> RecvPaused{false};
    std::atomic<bool> SendClosed{false};       // the socket is gone: what is sent now is dropped
    std::atomic<uint32_t> PendingAttention{0}; // bits of Attention
    Connection* AttentionNext = nullptr;       // link of the worker's list, valid while PendingAttention is not 0
    SendQueue Send;                            // see there for the division between the two sides

    // ---- Logic (the server's logic mutex).
    bool LogicOpen = false; // logic has taken the Connection, and neither asked for the end nor given the Close back
    uint32_t Requested = 0; // bits of Attention that are to be passed on to the worker
    Connection* RequestedNext = nullptr; // link of the server's list, valid while Requested is not 0

    // ---- Belong to whoever holds the message.
    Message ConnectionMessage;
    Message CloseMessage;

    [[nodiscard]] NetLib_ConnectionId Id() const noexcept { return MakeId(Index, Generation); }

    [[nodiscard]] static constexpr NetLib_ConnectionId MakeId(uint32_t index, uint32_t generation) noexcept
    {
        return (uint64_t{generation} << 32) | index;
    }

    // Makes the slot ready for a client; its id becomes a new one. The send ring gets its bound, no memory yet.
    void Begin(IOWorker& worker, UniqueSocket socket, const SocketAddress& peer, Opening opening,
               uint32_t sendCapacity) noexcept;
    // Gives it the address that logic will be told.
    void SetPeer(const SocketAddress& peer) noexcept;
};

} // namespace NetLib
