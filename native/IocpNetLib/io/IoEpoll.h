// The epoll backend (Linux): readiness, edge-triggered, turned into completions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "io/IoHandler.h"

namespace NetLib {

// One connection's socket and its operations.
struct IoSocket {
    UniqueSocket Socket;
    std::span<std::byte> RecvBuffer;         // valid while RecvPending
    std::span<const std::byte> SendPieces[2]; // valid while SendPending
    bool RecvPending = false;
    bool SendPending = false;
    bool Readable = false; // an edge was reported and no receive has found the socket empty since
    // The peer ended its side or sent urgent data: a short receive does not mean that the socket is empty.
    bool ShortIsNotEmpty = false;
    bool RecvCancelled = false; // to be reported as failed
    bool SendCancelled = false;
    IoSocket* NextCancelled = nullptr;
};

class IoEpoll {
public:
    static constexpr const char* Name = "epoll";

    [[nodiscard]] static std::expected<std::unique_ptr<IoEpoll>, std::string> Create(IoHandler& handler);

    [[nodiscard]] std::expected<void, std::string> Listen(UniqueSocket listenSocket);
    void ResumeAccept() noexcept;
    void StopListening() noexcept;
    [[nodiscard]] bool Attach(IoSocket& socket, UniqueSocket native) noexcept;
    [[nodiscard]] IoOutcome Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept;
    [[nodiscard]] IoOutcome Send(IoSocket& socket, std::span<const std::byte> first,
                                 std::span<const std::byte> second) noexcept;
    void Close(IoSocket& socket, bool abort) noexcept;
    void Wait(int milliseconds);
    void Wake() noexcept;
    [[nodiscard]] bool IsIdle() const noexcept { return m_FirstCancelled == nullptr; }

    // For Create. epoll and wakeEvent are no sockets, but close the same way.
    IoEpoll(IoHandler& handler, UniqueSocket epoll, UniqueSocket wakeEvent) noexcept;

private:
    void AcceptAll();
    void Dispatch(IoSocket& socket, uint32_t events);
    void ReportCancelled();
    [[nodiscard]] IoOutcome TryRecv(IoSocket& socket) noexcept;
    [[nodiscard]] static IoOutcome TrySend(const IoSocket& socket) noexcept;

    IoHandler& m_Handler;
    UniqueSocket m_Epoll;
    UniqueSocket m_WakeEvent;
    UniqueSocket m_ListenSocket;
    IoSocket* m_FirstCancelled = nullptr; // closed with something pending, not yet reported
};

} // namespace NetLib
