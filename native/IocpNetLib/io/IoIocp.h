// The IOCP backend (Windows): AcceptEx, WSARecv, WSASend and one completion port an I/O thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/IoHandler.h"

#include <mswsock.h>

namespace NetLib {

// The record of one overlapped operation (the original's OVERLAPPED_EX). The system owns it from the call that starts
// the operation until its completion is taken from the port. Overlapped comes first: one address names both.
struct IocpOperation {
    enum class Kind : uint8_t { Accept, Recv, Send };

    OVERLAPPED Overlapped{};
    Kind Type = Kind::Recv;
    IoSocket* Owner = nullptr; // Recv, Send
};

// One connection's socket and its operations.
struct IoSocket {
    UniqueSocket Socket;
    IocpOperation RecvOperation;
    IocpOperation SendOperation;
};

class IoIocp {
public:
    static constexpr const char* Name = "iocp";

    [[nodiscard]] static std::expected<std::unique_ptr<IoIocp>, std::string> Create(IoHandler& handler);

    [[nodiscard]] std::expected<void, std::string> Listen(UniqueSocket listenSocket);
    void ResumeAccept();
    void StopListening() noexcept;
    [[nodiscard]] bool Attach(IoSocket& socket, UniqueSocket native) noexcept;
    [[nodiscard]] IoOutcome Recv(IoSocket& socket, std::span<std::byte> buffer) noexcept;
    [[nodiscard]] IoOutcome Send(IoSocket& socket, std::span<const std::byte> first,
                                 std::span<const std::byte> second) noexcept;
    void Close(IoSocket& socket, bool abort) noexcept;
    void Wait(int milliseconds);
    void Wake() noexcept;
    [[nodiscard]] bool IsIdle() const noexcept { return m_AcceptsPending == 0; }

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

    IoHandler& m_Handler;
    UniquePort m_Port;
    UniqueSocket m_ListenSocket;
    int m_ListenFamily = AF_INET;
    LPFN_ACCEPTEX m_AcceptEx = nullptr;
    LPFN_GETACCEPTEXSOCKADDRS m_GetAcceptExSockaddrs = nullptr;
    std::vector<AcceptOperation> m_Accepts; // never resized while accepts are pending
    int m_AcceptsPending = 0;
};

} // namespace NetLib
