// One running server: everything between a start and a stop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>

#include "Connection.h"
#include "IOWorker.h"
#include "NetConfig.h"
#include "ServerContext.h"

namespace NetLib {

// Made by Start, ended by End or by its destructor. A server that is started again is a new object, so no state of an
// earlier run can survive.
//
// The I/O threads run by themselves; this class is logic's side: it takes their events, gives them back, and hands
// over what is to be sent.
class IOCPServerNet {
public:
    // Generations of connection ids begin behind lastGeneration, which is LastGeneration of the run before, or 0.
    [[nodiscard]] static std::expected<std::unique_ptr<IOCPServerNet>, StartError> Start(const NetLib_Config& config,
                                                                                         uint32_t lastGeneration);

    // For Start. Throws std::bad_alloc.
    IOCPServerNet(SocketLayer socketLayer, const NetConfig& config, const Log& log, uint32_t lastGeneration);
    ~IOCPServerNet();

    [[nodiscard]] uint16_t Port() const noexcept { return m_Port; }
    [[nodiscard]] NetLib_Stats Stats() const noexcept;
    [[nodiscard]] const char* BackendName() const noexcept;

    // ---- The logic thread.
    [[nodiscard]] NetLib_Result Poll(std::span<NetLib_Message> messages, int32_t waitMilliseconds, uint32_t& count);
    [[nodiscard]] NetLib_Result GetNetworkMessage(int8_t& type, NetLib_ConnectionId& connectionId,
                                                  std::span<char> buffer, uint32_t& copySize, int32_t waitMilliseconds);
    [[nodiscard]] NetLib_Result Release();

    // ---- Any thread.
    void WakePoll() noexcept;
    [[nodiscard]] NetLib_Result Submit(std::span<const NetLib_Op> ops, std::span<const std::byte> payload,
                                       std::span<const NetLib_ConnectionId> receivers);
    [[nodiscard]] NetLib_Result SendPacket(NetLib_ConnectionId connectionId, std::span<const std::byte> packet);
    void SetLimits(const Limits& limits);
    void SetLogLevel(int32_t minLevel) noexcept { m_Context.Logger.SetMinLevel(minLevel); }
    void StopAccepting();
    void BeginStop();

    // Makes a Poll that waits return NetLib_Result_Stopped, and every later one.
    void EndPolling() noexcept;
    // Ends the threads and closes everything. No other call may be under way or follow.
    void End(std::chrono::milliseconds drain);
    // After End: the highest generation that an id of this run has.
    [[nodiscard]] uint32_t LastGeneration() const noexcept { return m_Context.Connections.LastGeneration(); }

private:
    [[nodiscard]] std::expected<void, StartError> Open();
    [[nodiscard]] std::expected<UniqueSocket, StartError> OpenListener();

    // The two ways of a poll to wait: for the I/O threads, or by doing their work.
    [[nodiscard]] NetLib_Result WaitForWorkers(int32_t waitMilliseconds);
    [[nodiscard]] NetLib_Result ServeInline(int32_t waitMilliseconds);
    // Waits until m_Taken has a message. Success also means that there may be none: the time is up or Wake was called.
    [[nodiscard]] NetLib_Result WaitForMessages(int32_t waitMilliseconds);
    // Moves what is queued to m_Taken. What the poll that wants it comes to; nothing: it has to wait.
    [[nodiscard]] std::optional<NetLib_Result> TakeMessages() noexcept;
    [[nodiscard]] bool IsDelivered() const noexcept;
    // Moves the first message from m_Taken, which has one, to m_HandedOut.
    const Message& HandOutNext() noexcept;
    void GiveBackHandedOut() noexcept;
    void GiveBack(Message& message, MessageList& toPool) noexcept;
    void DropUndelivered() noexcept;

    [[nodiscard]] bool IsWellFormed(const NetLib_Op& op, size_t payloadSize, size_t receiverCount) const noexcept;
    // The connection of id, if logic may still send to it.
    [[nodiscard]] Connection* FindOpen(NetLib_ConnectionId id) noexcept;
    // shared is a copy of the packet that others send, too, or has no block.
    [[nodiscard]] NetLib_Result QueueSend(NetLib_ConnectionId id, std::span<const std::byte> packet,
                                          const SharedPiece& shared) noexcept;
    void QueueBroadcast(std::span<const NetLib_ConnectionId> receivers, std::span<const std::byte> packet) noexcept;
    [[nodiscard]] SharedPiece CopyToShare(std::span<const NetLib_ConnectionId> receivers,
                                          std::span<const std::byte> packet) noexcept;
    [[nodiscard]] bool LendSendRing(Connection& connection) noexcept; // false without memory
    void Disconnect(NetLib_ConnectionId id) noexcept;
    void CountDrop(size_t reason) noexcept { m_Context.Logic.SendsDropped[reason].Increment(); }
    void Request(Connection& connection, Attention attention) noexcept;
    void PassRequestsOn() noexcept;

    SocketLayer m_SocketLayer;
    ServerContext m_Context;
    uint16_t m_Port = 0;
    bool m_HasEnded = false;
    std::atomic<bool> m_PollingEnded{false};

    // ---- The logic thread. The gate makes sure that there is one.
    std::atomic_flag m_PollGate;
    MessageList m_Taken;     // from the queue, not yet handed out
    MessageList m_HandedOut; // not yet given back

    IOWorker* m_Inline = nullptr;         // the worker that has no thread; null: all have
    std::atomic<bool> m_PollWoken{false}; // with m_Inline: a poll is to return

    // ---- Under the context's LogicMutex.
    Connection* m_FirstRequested = nullptr; // newest first; PassRequestsOn empties the list
};

} // namespace NetLib
