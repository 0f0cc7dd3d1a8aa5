#include "PeerSocket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

namespace Peers {

namespace {

// More are not needed, and memory for all of them is reserved.
constexpr rlim_t MostDescriptors = 1 << 20;

int Check(int result, const char* what)
{
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

} // namespace

Descriptor::~Descriptor()
{
    if (m_Descriptor >= 0) {
        close(m_Descriptor);
    }
}

Descriptor Listen(std::uint16_t port)
{
    Descriptor listener(Check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
    const int on = 1;
    Check(setsockopt(listener.Get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    Check(setsockopt(listener.Get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    Check(bind(listener.Get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    Check(listen(listener.Get(), SOMAXCONN), "listen");
    socklen_t size = sizeof address;
    Check(getsockname(listener.Get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    std::printf("listening on port %u\n", static_cast<unsigned>(ntohs(address.sin_port)));
    std::fflush(stdout);
    return listener;
}

Descriptor StopSignals()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    Check(sigprocmask(SIG_BLOCK, &signals, nullptr), "sigprocmask");
    return Descriptor(Check(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd"));
}

std::size_t RaiseDescriptorLimit()
{
    rlimit limit{};
    Check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_max = std::min(limit.rlim_max, MostDescriptors);
    limit.rlim_cur = limit.rlim_max;
    Check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    return limit.rlim_cur;
}

} // namespace Peers
