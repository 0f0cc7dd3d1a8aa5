#include "io/Io.h"

#if defined(_WIN32)
#  include "io/IoIocp.h"
#else
#  include "io/IoEpoll.h"
#  include "io/IoUring.h"
#endif

namespace NetLib {

std::expected<std::unique_ptr<Io>, std::string> Io::Create(IoBackend wanted, IoHandler& handler, std::string& fallback)
{
    fallback.clear();
#if defined(_WIN32)
    if (wanted == IoBackend::Auto || wanted == IoBackend::Iocp)
        return IoIocp::Create(handler);
    return std::unexpected("this system's only I/O backend is iocp");
#else
    if (wanted == IoBackend::Epoll)
        return IoEpoll::Create(handler);
    if (wanted == IoBackend::Iocp)
        return std::unexpected("this system's I/O backends are io_uring and epoll");
    auto uring = IoUring::Create(handler);
    if (uring || wanted == IoBackend::IoUring)
        return uring;
    fallback = std::move(uring.error());
    return IoEpoll::Create(handler);
#endif
}

} // namespace NetLib
