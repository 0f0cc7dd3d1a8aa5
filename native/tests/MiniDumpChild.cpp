#include "MiniDumpChild.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "MiniDump.h"
#include "TestServer.h"

#if defined(_WIN32)
#  include <windows.h>
#  define NETLIB_NOINLINE __declspec(noinline)
#else
#  include <csignal>
#  include <sys/resource.h>
#  include <unistd.h>
#  define NETLIB_NOINLINE __attribute__((noinline))
#endif

namespace NetLib::Test {

// Not in an unnamed namespace: the tests look for these names in the files.
NETLIB_NOINLINE void CrashByWriting(uintptr_t address) { *reinterpret_cast<volatile int*>(address) = 1; }

volatile int g_Endless = 1; // hides from the compiler what it would refuse

NETLIB_NOINLINE int CrashByRecursion(int depth)
{
    volatile char frame[512];
    frame[0] = static_cast<char>(depth);
    return g_Endless != 0 ? CrashByRecursion(depth + 1) + frame[0] : 0;
}

NETLIB_NOINLINE void Throw()
{
    if (g_Endless != 0)
        throw std::runtime_error("nobody catches this");
}

NETLIB_NOINLINE void CrashByTerminate() noexcept { Throw(); }

namespace {

using LogFunction = NetLib_LogFunc;

// What a server's I/O thread does with its first log line.
void CrashInLog(void*, int32_t, NetLib_ConnectionId, const char* text, uint32_t length)
{
    if (std::string(text, length).find("stopping") != std::string::npos)
        CrashByWriting(8);
}

void OverflowInLog(void*, int32_t, NetLib_ConnectionId, const char* text, uint32_t length)
{
    if (std::string(text, length).find("stopping") != std::string::npos)
        std::printf("%d\n", CrashByRecursion(0));
}

// Runs a server that calls log, when it stops on one of the core's own threads.
void CrashInServer(LogFunction log)
{
    NetLib_Config config = SmallConfig();
    config.MinLogLevel = NetLib_LogLevel_Debug;
    config.Log = log;
    TestServer server;
    server.Start(config);
    (void)NetLib_BeginStop(server.Get());
    std::this_thread::sleep_for(Patience);
}

} // namespace

int RunMiniDumpChild(const char* folder, const char* chosen)
{
    const std::string way = chosen;
#if defined(_WIN32)
    ::SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX); // no dialog, no debugger: the crash is wanted
#endif
    char error[512] = {};
    if (NetLib_EnableMiniDump(folder, error, sizeof(error)) != NetLib_Result_Success) {
        std::fprintf(stderr, "%s\n", error);
        return 3;
    }
    if (way == "write")
        CrashByWriting(8);
    if (way == "abort")
        std::abort();
    if (way == "terminate")
        CrashByTerminate();
    if (way == "io-thread")
        CrashInServer(CrashInLog);
    if (way == "io-thread-overflow")
        CrashInServer(OverflowInLog);
    if (way == "wild-call") // no code is there
        CrashInServer(reinterpret_cast<LogFunction>(uintptr_t{16}));
    if (way == "disabled") {
        NetLib_DisableMiniDump();
        CrashByWriting(8);
    }
#if !defined(_WIN32)
    if (way == "no-descriptor") {
        const rlimit few{32, 32};
        ::setrlimit(RLIMIT_NOFILE, &few);
        while (::dup(STDERR_FILENO) >= 0)
            ;
        CrashByWriting(8);
    }
    if (way == "signal") // from outside, as far as the core can see
        (void)::kill(::getpid(), SIGSEGV);
#endif
    return 0;
}

} // namespace NetLib::Test
