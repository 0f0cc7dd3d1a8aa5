// The io_uring backend (Linux 6.1 and newer): multishot accepts, receives into provided buffers, sends that leave
// together, and one call of the system for a whole turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "io/ClosedSockets.h"
#include "io/Io.h"
#include "io/UringQueue.h"
#include "io/WakeEvent.h"

namespace NetLib {

// Receiving: a receive waits in the kernel while somebody wants it, and is armed again together with what the turn sends,
// so a message needs no call of its own. What arrives lies in a provided buffer and is copied into the buffer that the
// connection offers when it is told; what does not fit is in the socket's stash until it is asked for.
//
// Not multishot: up to Linux 6.18 at least, a multishot receive that finds data may miss the end of the connection, or
// what stands behind urgent data, if that comes at the same moment: nothing wakes it any more, and the connection stays
// for ever. It was no faster, either (5 to 30 % more processor time in an echo with 64 connections).
//
// Sending: a send is tried when the turn's entries are submitted. The system nearly always takes it at once, and then
// makes no completion (CQE_SKIP_SUCCESS): it is over when the submission is. Only what it does not take waits.
class IoUring final : public Io {
public:
    // Fails, with a sentence, where this kernel's io_uring is missing, forbidden, or does not do what is needed. Throws
    // std::bad_alloc.
    [[nodiscard]] static std::expected<std::unique_ptr<Io>, std::string> Create(IoHandler& handler);

    [[nodiscard]] const char* Name() const noexcept override { return "io_uring"; }
    [[nodiscard]] std::expected<void, std::string> Listen(UniqueSocket listenSocket) override;
    void ResumeAccept() noexcept override;
    void StopListening() noexcept override;
    [[nodiscard]] bool Attach(IoSocket& socket, UniqueSocket native) noexcept override;
    [[nodiscard]] IoOutcome Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept override;
    [[nodiscard]] IoOutcome Send(IoSocket& socket, std::span<const std::byte> first, std::span<const std::byte> second,
                                 bool mayReportLate) noexcept override;
    void HurryReports() noexcept override { m_MayWait = false; }
    void Close(IoSocket& socket, bool abort) noexcept override;
    void Wait(int milliseconds) override;
    void Wake() noexcept override { m_WakeEvent.Set(); }
    [[nodiscard]] bool IsIdle() const noexcept override;

    // For Create.
    IoUring(IoHandler& handler, UringQueue queue, UringBuffers buffers, WakeEvent wakeEvent) noexcept;

private:
    // What an entry is for: the low bits of its user data, beside the address of an IoSocket or of the Io.
    enum class Kind : uint8_t { Accept, Recv, Send, Cancel, CancelAccept, Wake };
    static constexpr uint64_t KindMask = 7;

    [[nodiscard]] static std::expected<std::unique_ptr<Io>, std::string> CreateHere(IoHandler& handler);
    [[nodiscard]] io_uring_sqe* NewEntry(uint8_t opcode, int descriptor, Kind kind, const void* owner) noexcept;
    [[nodiscard]] io_uring_sqe* NewEntryWhenReady(uint8_t opcode, uint32_t events, Kind kind,
                                                  IoSocket& socket) noexcept;
    [[nodiscard]] bool ArmWake() noexcept;
    void ArmAccept() noexcept;
    [[nodiscard]] bool ArmRecv(IoSocket& socket) noexcept;
    [[nodiscard]] bool QueueSend(IoSocket& socket, bool isImmediate) noexcept;
    void CancelAccept() noexcept;
    void Cancel(IoSocket& socket) noexcept;
    void CancelDone(IoSocket& socket);

    void Dispatch(const UringCompletion& completion);
    void AcceptDone(int result, bool hasMore);
    void RecvDone(IoSocket& socket, const UringCompletion& completion);
    void FailRecv(IoSocket& socket, int error);
    void Arrived(IoSocket& socket, std::span<const std::byte> data);
    void SendDone(IoSocket& socket, int result);
    void ListSend(IoSocket& socket) noexcept;
    void ReportImmediateSends(uint32_t taken);
    void FinishIfClosed(IoSocket& socket);

    IoHandler& m_Handler;
    WakeEvent m_WakeEvent;
    UniqueSocket m_ListenSocket;
    UniqueSocket m_ClosingListener; // kept until the system has ended its accept
    UringBuffers m_Buffers;         // ends after the queue, whose receives may use it
    UringQueue m_Queue;
    bool m_AcceptArmed = false;
    bool m_WakeArmed = false;
    bool m_AcceptPaused = false;
    bool m_MayWait = true; // no outcome that is waited for would be reported only after the next wait
    // What just arrived for m_ArrivedFor, which is asked whether it wants it.
    std::span<const std::byte> m_Arrived;
    IoSocket* m_ArrivedFor = nullptr;
    // Have started an immediate send: over once the kernel has taken it, if no completion says otherwise.
    IoSocket* m_FirstSend = nullptr;
    ClosedSockets m_Closed;
};

} // namespace NetLib
