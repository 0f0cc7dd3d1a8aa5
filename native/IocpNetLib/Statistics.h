// The counters of a whole server, added up.
#pragma once

#include "IocpNetLib.h"

namespace NetLib {

struct ServerContext;

// What the I/O threads, the pools and logic have counted since the start. Any thread.
[[nodiscard]] NetLib_Stats CollectStats(const ServerContext& server) noexcept;

} // namespace NetLib
