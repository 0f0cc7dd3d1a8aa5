#include "Connection.h"

#include <cstring>

namespace NetLib {

void Connection::Begin(IOWorker& worker, UniqueSocket socket, const SocketAddress& peer, Opening opening,
                       uint32_t sendCapacity) noexcept
{
    // 0 is never a generation, so that no id is 0.
    Generation = Generation == std::numeric_limits<uint32_t>::max() ? 1 : Generation + 1;
    Worker = &worker;
    AcceptedSocket = std::move(socket);
    Opens = opening;
    Signature = {};
    Reason = CloseReason::None;
    IsTold = IsHeldTooLong = false;
    Receiving = CloseTaken = PeerEnded = SendShutdown = IsRecvPaused = HasSentPacket = false;
    IsThrottled = HasBeenThrottled = IsRateOff = IsIoOver = IsRecvWait = IsRecvCancelled = IsRecvIdle = false;
    Deadline = std::chrono::steady_clock::time_point::max();
    RecvPaused.store(false, std::memory_order_relaxed);
    SendClosed.store(false, std::memory_order_relaxed);
    Send.Create(sendCapacity);

    ConnectionMessage = {.Owner = this, .Type = MessageType::Connection};
    SetPeer(peer);
    IsPeerKnown = peer.Ip().has_value();
    CloseMessage = {.Owner = this, .Type = MessageType::Close};
}

void Connection::SetPeer(const SocketAddress& peer) noexcept
{
    Peer = peer.Text();
    ConnectionMessage.Data = reinterpret_cast<const std::byte*>(Peer.data());
    ConnectionMessage.Size = static_cast<uint32_t>(std::strlen(Peer.data()));
}

} // namespace NetLib
