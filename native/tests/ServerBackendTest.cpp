// Which I/O backend a server takes.
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "TestServer.h"

#if defined(__linux__)
#  include <array>
#  include <cerrno>
#  include <cstddef>
#  include <linux/filter.h>
#  include <linux/seccomp.h>
#  include <sys/prctl.h>
#  include <sys/syscall.h>
#endif

namespace NetLib::Test {
namespace {

// It serves, and is then told to stop.
void ExpectEchoes(const TestServer& server)
{
    auto echo = StartEcho(server);
    {
        TestClient client(server.Port());
        PumpEchoes(client, 1, 10, 20, 256);
    }
    EXPECT_EQ(NetLib_BeginStop(server.Get()), NetLib_Result_Success);
    EXPECT_EQ(echo.get().Packets, 10u);
}

TEST(ServerBackend, NameIsThatOfTheRun)
{
    TestServer server;
    EXPECT_STREQ(NetLib_BackendName(server.Get()), "none");
    NetLib_Config config = SmallConfig();
#if defined(_WIN32)
    config.IoBackend = NetLib_IoBackend_Iocp;
    constexpr const char* Name = "iocp";
#else
    config.IoBackend = NetLib_IoBackend_Epoll;
    constexpr const char* Name = "epoll";
#endif
    server.Start(config);
    EXPECT_STREQ(NetLib_BackendName(server.Get()), Name);
    ExpectEchoes(server);
    EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
    EXPECT_STREQ(NetLib_BackendName(server.Get()), Name);
}

TEST(ServerBackend, OfAnotherSystem)
{
    NetLib_Config config = SmallConfig();
#if defined(_WIN32)
    config.IoBackend = NetLib_IoBackend_Epoll;
#else
    config.IoBackend = NetLib_IoBackend_Iocp;
#endif
    TestServer server;
    char error[200];
    EXPECT_EQ(NetLib_Start(server.Get(), &config, error, sizeof(error)), NetLib_Result_FailHandleIocpWork);
    EXPECT_NE(std::string(error).find("I/O backend"), std::string::npos) << error;
    EXPECT_EQ(server.Port(), 0);
}

#if defined(__linux__)

// Forbids io_uring to this thread and those that it makes, as containers do.
bool ForbidUring()
{
    std::array<sock_filter, 4> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    sock_fprog filter{.len = program.size(), .filter = program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST(ServerBackend, WithoutUringItIsEpoll)
{
    std::thread([] {
        if (!ForbidUring())
            GTEST_SKIP() << "this system has no seccomp filters";
        NetLib_Config config = SmallConfig();
        LogLines log;
        log.AttachTo(config, NetLib_LogLevel_Info);
        for (const int32_t threads : {0, 2}) {
            config.WorkThreadCount = threads;
            config.IoBackend = NetLib_IoBackend_Auto;
            TestServer server(config);
            EXPECT_STREQ(NetLib_BackendName(server.Get()), "epoll");
            ExpectEchoes(server);
        }
        EXPECT_EQ(log.Count("epoll is used instead of io_uring: io_uring_setup"), 2u);

        config.IoBackend = NetLib_IoBackend_IoUring;
        TestServer server;
        char error[200];
        EXPECT_EQ(NetLib_Start(server.Get(), &config, error, sizeof(error)), NetLib_Result_FailHandleIocpWork);
        EXPECT_NE(std::string(error).find("io_uring_setup"), std::string::npos) << error;
        EXPECT_EQ(server.Port(), 0);
    }).join();
}

#endif

} // namespace
} // namespace NetLib::Test
