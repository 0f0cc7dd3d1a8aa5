// The echo: any packet comes back as it is.
#pragma once

#include <cstddef>
#include <span>

#include "Turn.h"

namespace Peers {

class EchoService {
public:
    static constexpr std::size_t MaxPacketSize = 65535;

    explicit EchoService(Turn& turn) : m_Turn(turn) {}

    [[nodiscard]] bool HandlePacket(ConnectionIndex index, std::span<const std::byte> packet)
    {
        m_Turn.Append(index, packet);
        return true;
    }
    void HandleClose(ConnectionIndex) noexcept {}
    void EndTurn() noexcept {}

private:
    Turn& m_Turn;
};

} // namespace Peers
