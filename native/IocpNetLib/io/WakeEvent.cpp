#include "io/WakeEvent.h"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace NetLib {

std::expected<WakeEvent, std::string> WakeEvent::Create(int flags)
{
    WakeEvent event;
    event.m_Event = UniqueSocket(::eventfd(0, flags | EFD_CLOEXEC));
    if (!event.m_Event.IsOpen())
        return CallFailure("eventfd", errno);
    return event;
}

void WakeEvent::Set() const noexcept
{
    const uint64_t one = 1;
    // Cannot fail: the counter would have to reach 2^64-1.
    (void)!::write(m_Event.Get(), &one, sizeof(one));
}

} // namespace NetLib
