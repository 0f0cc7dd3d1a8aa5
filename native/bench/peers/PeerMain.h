// How every peer starts.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>

#include "ChatService.h"
#include "EchoService.h"
#include "PeerOptions.h"

namespace Peers {

// Server<Service>(options).Run() for the service that was asked for. Returns the exit code.
template <template <class> class Server>
int PeerMain(int argumentCount, char** arguments)
{
    try {
        const PeerOptions options = ParseOptions(std::span(arguments, static_cast<std::size_t>(argumentCount)));
        if (options.Service == Mode::Echo) {
            Server<EchoService>(options).Run();
        } else {
            Server<ChatService>(options).Run();
        }
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", arguments[0], error.what());
        return EXIT_FAILURE;
    }
}

} // namespace Peers
