// The command line of a peer.
#pragma once

#include <cstdint>
#include <span>

namespace Peers {

enum class Mode { Echo, Chat };

struct PeerOptions {
    std::uint16_t Port = 0; // 0: any free one
    Mode Service = Mode::Echo;
};

// Reads "--port N" and "--mode echo|chat". Throws std::invalid_argument with a message for the user.
[[nodiscard]] PeerOptions ParseOptions(std::span<char*> arguments);

} // namespace Peers
