// The contract between the server and the system's I/O.
//
// One Io serves one I/O thread. The contract is completion-shaped: an operation is started, and its result is reported
// later, once. IOCP and io_uring work that way by themselves; epoll, which reports readiness, is adapted to it in its
// own file. Operations never allocate: their records live in the IoSocket, which the connection owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "io/IoHandler.h"
#include "io/IoSocket.h"

namespace NetLib {

// Which backend is wanted. The numbers are those of NetLib_IoBackend.
enum class IoBackend : uint8_t { Auto = 0, Iocp = 1, Epoll = 2, IoUring = 3 };

// Everything but Wake belongs to the thread that serves the Io: one at a time, which another may follow when it knows
// that the first has ended its last call.
class Io {
public:
    // The backend that is wanted; for Auto the best that this system has. The error is a sentence.
    // fallback is told in a sentence why a better one is not used, and is empty otherwise.
    [[nodiscard]] static std::expected<std::unique_ptr<Io>, std::string> Create(IoBackend wanted, IoHandler& handler,
                                                                                std::string& fallback);

    Io() = default;
    Io(const Io&) = delete;
    Io& operator=(const Io&) = delete;
    virtual ~Io() = default;

    // "iocp", "epoll", "io_uring". Static memory.
    [[nodiscard]] virtual const char* Name() const noexcept = 0;

    // Starts accepting; an error is a sentence.
    [[nodiscard]] virtual std::expected<void, std::string> Listen(UniqueSocket listenSocket) = 0;
    // After OnAcceptPaused.
    virtual void ResumeAccept() = 0;
    // OnAccepted may still tell of who came before it.
    virtual void StopListening() noexcept = 0;

    // Gives the socket to this Io; no operation is pending. False when the system refuses: then Close follows.
    [[nodiscard]] virtual bool Attach(IoSocket& socket, UniqueSocket native) noexcept = 0;

    // Start a receive and a send; one of each at a time. Done and Failed tell what came of it at once; Pending means
    // that OnRecvDone or OnSendDone will. The spans stay valid until then.
    //
    // A receive with no room (an empty buffer) is done, with 0 bytes, when there is something to receive: data, the end
    // or a failure. So an idle connection needs no buffer.
    [[nodiscard]] virtual IoOutcome Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept = 0;
    // Whether a receive without room costs no call of the system. Where it does, who receives often had better wait with
    // a buffer, and CancelRecv takes it back.
    [[nodiscard]] virtual bool WaitsForFree() const noexcept { return true; }
    // Ends the pending receive: OnRecvDone follows, as Failed unless it was over before. Nothing that arrives is lost.
    // Only where WaitsForFree is false.
    virtual void CancelRecv(IoSocket&) noexcept {}
    // first, then second, which may be empty. Fewer bytes than were offered may be sent.
    // mayReportLate: nobody waits for the outcome, so it may be reported with whatever comes next.
    [[nodiscard]] virtual IoOutcome Send(IoSocket& socket, std::span<const std::byte> first,
                                         std::span<const std::byte> second, bool mayReportLate) noexcept = 0;

    // Somebody waits for such an outcome after all: the next Wait reports it without waiting for anything else.
    virtual void HurryReports() noexcept {}

    // Closes the socket; abort discards what is unsent. Pending operations then complete, once each: as Failed, unless
    // they were over before. OnClosed follows. None of it from inside this call.
    virtual void Close(IoSocket& socket, bool abort) noexcept = 0;

    // Waits (milliseconds; -1: for ever, 0: not at all), then reports what is complete.
    virtual void Wait(int milliseconds) = 0;
    // Makes Wait return. Any thread.
    virtual void Wake() noexcept = 0;
    // Nothing is pending that would touch this Io's memory; needed before its end.
    [[nodiscard]] virtual bool IsIdle() const noexcept = 0;
};

} // namespace NetLib
