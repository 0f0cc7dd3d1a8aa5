#include "io/ClosedSockets.h"

#include <cerrno>
#include <utility>

#include "io/IoSocket.h"

namespace NetLib {

void ClosedSockets::Add(IoSocket& socket) noexcept { socket.NextClosed = std::exchange(m_First, &socket); }

void ClosedSockets::Report(IoHandler& handler)
{
    for (IoSocket* socket = std::exchange(m_First, nullptr); socket != nullptr;) {
        // The socket is given up with its last report.
        IoSocket* const next = std::exchange(socket->NextClosed, nullptr);
#if !defined(_WIN32) // there the system reports what was pending
        if (std::exchange(socket->RecvPending, false))
            handler.OnRecvDone(*socket, IoOutcome::Failed(ECANCELED));
        if (std::exchange(socket->SendPending, false))
            handler.OnSendDone(*socket, IoOutcome::Failed(ECANCELED));
#endif
        handler.OnClosed(*socket);
        socket = next;
    }
}

} // namespace NetLib
