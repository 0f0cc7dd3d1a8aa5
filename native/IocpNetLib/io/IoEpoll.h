// The epoll backend (Linux): readiness, edge-triggered, turned into completions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "io/ClosedSockets.h"
#include "io/Io.h"
#include "io/WakeEvent.h"

namespace NetLib {

class IoEpoll final : public Io {
public:
    [[nodiscard]] static std::expected<std::unique_ptr<Io>, std::string> Create(IoHandler& handler);

    [[nodiscard]] const char* Name() const noexcept override { return "epoll"; }
    [[nodiscard]] std::expected<void, std::string> Listen(UniqueSocket listenSocket) override;
    void ResumeAccept() noexcept override;
    void StopListening() noexcept override;
    [[nodiscard]] bool Attach(IoSocket& socket, UniqueSocket native) noexcept override;
    [[nodiscard]] IoOutcome Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept override;
    [[nodiscard]] IoOutcome Send(IoSocket& socket, std::span<const std::byte> first, std::span<const std::byte> second,
                                 bool mayReportLate) noexcept override;
    void Close(IoSocket& socket, bool abort) noexcept override;
    void Wait(int milliseconds) override;
    void Wake() noexcept override { m_WakeEvent.Set(); }
    [[nodiscard]] bool IsIdle() const noexcept override { return m_Closed.IsEmpty(); }

    // For Create. epoll is no socket, but closes the same way.
    IoEpoll(IoHandler& handler, UniqueSocket epoll, WakeEvent wakeEvent) noexcept;

private:
    void AcceptAll();
    void Dispatch(IoSocket& socket, uint32_t events);
    [[nodiscard]] IoOutcome TryRecv(IoSocket& socket) noexcept;
    [[nodiscard]] static IoOutcome TrySend(const IoSocket& socket) noexcept;

    IoHandler& m_Handler;
    UniqueSocket m_Epoll;
    WakeEvent m_WakeEvent;
    UniqueSocket m_ListenSocket;
    ClosedSockets m_Closed;
};

} // namespace NetLib
