// The IOCP backend (Windows): AcceptEx, WSARecv, WSASend and one completion port an I/O thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/ClosedSockets.h"
#include "io/Io.h"

#include <mswsock.h>

namespace NetLib {

class IoIocp final : public Io {
public:
    [[nodiscard]] static std::expected<std::unique_ptr<Io>, std::string> Create(IoHandler& handler);

    [[nodiscard]] const char* Name() const noexcept override { return "iocp"; }
    [[nodiscard]] std::expected<void, std::string> Listen(UniqueSocket listenSocket) override;
    void ResumeAccept() override;
    void StopListening() noexcept override;
    [[nodiscard]] bool Attach(IoSocket& socket, UniqueSocket native) noexcept override;
    [[nodiscard]] IoOutcome Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept override;
    [[nodiscard]] IoOutcome Send(IoSocket& socket, std::span<const std::byte> first, std::span<const std::byte> second,
                                 bool mayReportLate) noexcept override;
    [[nodiscard]] bool WaitsForFree() const noexcept override { return false; }
    void CancelRecv(IoSocket& socket) noexcept override;
    void Close(IoSocket& socket, bool abort) noexcept override;
    void Wait(int milliseconds) override;
    void Wake() noexcept override;
    [[nodiscard]] bool IsIdle() const noexcept override { return m_AcceptsPending == 0 && m_Closed.IsEmpty(); }

    struct PortCloser {
        void operator()(HANDLE port) const noexcept { ::CloseHandle(port); }
    };
    using UniquePort = std::unique_ptr<void, PortCloser>;

    // For Create.
    IoIocp(IoHandler& handler, UniquePort port) noexcept;

private:
    // AcceptEx writes the two addresses here; 16 bytes more than each, as its documentation demands.
    static constexpr DWORD AddressCapacity = sizeof(sockaddr_storage) + 16;

    struct AcceptOperation : IocpOperation {
        UniqueSocket Socket;
        bool Pending = false;
        std::byte Addresses[2 * AddressCapacity]{};
    };

    // Both: 0, or the system's error number.
    [[nodiscard]] int PostAccept(AcceptOperation& operation);
    [[nodiscard]] int TryPostAccept(AcceptOperation& operation) noexcept;
    void PostAllAccepts();
    void AcceptDone(AcceptOperation& operation, bool succeeded);
    [[nodiscard]] static IoOutcome OutcomeOf(const OVERLAPPED_ENTRY& entry) noexcept;
    // What a call that started an operation came to; done is how many bytes were moved if it is over.
    [[nodiscard]] IoOutcome Started(IoSocket& socket, IocpOperation& operation, bool succeeded, DWORD bytes) noexcept;

    IoHandler& m_Handler;
    UniquePort m_Port;
    UniqueSocket m_ListenSocket;
    int m_ListenFamily = AF_INET;
    LPFN_ACCEPTEX m_AcceptEx = nullptr;
    LPFN_GETACCEPTEXSOCKADDRS m_GetAcceptExSockaddrs = nullptr;
    std::vector<AcceptOperation> m_Accepts; // never resized while accepts are pending
    int m_AcceptsPending = 0;
    ClosedSockets m_Closed;
};

} // namespace NetLib
