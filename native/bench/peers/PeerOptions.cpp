#include "PeerOptions.h"

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace Peers {

PeerOptions ParseOptions(std::span<char*> arguments)
{
    PeerOptions options;
    for (std::size_t i = 1; i < arguments.size(); i += 2) {
        const std::string_view name = arguments[i];
        if (name != "--port" && name != "--mode") {
            throw std::invalid_argument("unknown option " + std::string(name) + ": --port N, --mode echo|chat");
        }
        if (i + 1 == arguments.size()) {
            throw std::invalid_argument(std::string(name) + " has no value");
        }
        const std::string_view value = arguments[i + 1];
        if (name == "--port") {
            const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.Port);
            if (error != std::errc() || end != value.data() + value.size()) {
                throw std::invalid_argument("--port is a number from 0 to 65535");
            }
        } else if (value == "chat") {
            options.Service = Mode::Chat;
        } else if (value != "echo") {
            throw std::invalid_argument("--mode is echo or chat");
        }
    }
    return options;
}

} // namespace Peers
