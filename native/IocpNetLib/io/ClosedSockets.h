// The sockets of a backend that are closed and not yet reported.
#pragma once

#include "io/IoHandler.h"

namespace NetLib {

// A list through IoSocket::NextClosed. Nothing of its sockets is in the system any more. The Io's thread.
class ClosedSockets {
public:
    void Add(IoSocket& socket) noexcept;
    [[nodiscard]] bool IsEmpty() const noexcept { return m_First == nullptr; }
    // Tells handler of those that are in the list: first of what was still pending, as failed. What a handler closes
    // meanwhile is for the next call.
    void Report(IoHandler& handler);

private:
    IoSocket* m_First = nullptr;
};

} // namespace NetLib
