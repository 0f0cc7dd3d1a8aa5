// What an I/O backend reports, and to whom. Called on the Io's thread, from inside Io::Wait; OnAcceptFailed and
// OnAcceptPaused also from inside Listen and ResumeAccept.
#pragma once

#include <cstdint>

#include "io/Socket.h"

namespace NetLib {

struct IoSocket;

// How an operation went.
struct IoOutcome {
    enum class Status : uint8_t { Pending, Done, Failed };

    Status Result = Status::Pending;
    uint32_t Bytes = 0; // Done: bytes moved; 0 for a receive with room means that the peer ended its sending side
    int Error = 0;      // Failed: the system's error number

    static IoOutcome Pending() noexcept { return {}; }
    static IoOutcome Done(uint32_t bytes) noexcept { return {Status::Done, bytes, 0}; }
    static IoOutcome Failed(int error) noexcept { return {Status::Failed, 0, error}; }
};

class IoHandler {
public:
    // The system has ended a wait: whatever it has to report comes next. So the time can be taken once for all of it.
    virtual void OnWoken() = 0;
    virtual void OnAccepted(UniqueSocket socket, const SocketAddress& peer) = 0;
    // One accept failed (the peer had already gone, say); accepting goes on.
    virtual void OnAcceptFailed(int error) = 0;
    // The system has no descriptor or memory for another socket: accepting rests until Io::ResumeAccept.
    virtual void OnAcceptPaused(int error) = 0;
    virtual void OnRecvDone(IoSocket& socket, IoOutcome outcome) = 0;
    virtual void OnSendDone(IoSocket& socket, IoOutcome outcome) = 0;
    // Nothing of a closed socket is pending any more: its memory is the owner's again. The last word about it.
    virtual void OnClosed(IoSocket& socket) = 0;

protected:
    ~IoHandler() = default;
};

} // namespace NetLib
