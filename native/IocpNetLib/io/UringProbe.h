// Whether this system's io_uring does what IoUring relies on.
#pragma once

#include <string>

namespace NetLib {

// Tries it on socket pairs: receives into provided buffers, and sends that tell only when they were not
// taken whole. Empty if all is well, otherwise a sentence: io_uring is missing (Linux before 6.1), forbidden (the sysctl
// kernel.io_uring_disabled, a seccomp filter of a container), or behaves in another way.
[[nodiscard]] std::string FindUringProblem();

} // namespace NetLib
