// A process that crashes, for MiniDumpTest.
#pragma once

namespace NetLib::Test {

// The first argument that makes the test program such a process; the folder and the way to crash follow.
inline constexpr const char* MiniDumpChildOption = "--minidump-child";

// Ends the process. Returns, with an exit code, only for the ways that are no crash.
[[nodiscard]] int RunMiniDumpChild(const char* folder, const char* way);

} // namespace NetLib::Test
