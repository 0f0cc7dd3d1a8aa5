// Crash files: a process that crashes, and what is left of it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "IocpNetLib.h"
#include "MiniDump.h"
#include "MiniDumpChild.h"

#if defined(_WIN32)
#  include <windows.h>
#else
#  include <csignal>
#  include <sys/resource.h>
#  include <sys/wait.h>
#  include <unistd.h>
#endif

namespace NetLib::Test {
namespace {

namespace fs = std::filesystem;

#if defined(_WIN32)
uint32_t ThisProcess() { return ::GetCurrentProcessId(); }
#else
uint32_t ThisProcess() { return static_cast<uint32_t>(::getpid()); }
#endif

// A folder that is removed with what is in it.
class ScratchFolder {
public:
    ScratchFolder() : m_Path(fs::temp_directory_path() / ("IocpNetLib-test-" + std::to_string(ThisProcess())))
    {
        fs::remove_all(m_Path);
        fs::create_directory(m_Path);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder()
    {
        std::error_code ignored;
        fs::remove_all(m_Path, ignored);
    }
    [[nodiscard]] const fs::path& Path() const noexcept { return m_Path; }

private:
    fs::path m_Path;
};

// How a child ended: an exit code (on Windows that of the exception, too), or on Linux a signal as 1000 and its number.
#if defined(_WIN32)

uint32_t RunChild(const fs::path& folder, const std::string& way)
{
    std::wstring self(32768, L'\0');
    self.resize(::GetModuleFileNameW(nullptr, self.data(), static_cast<DWORD>(self.size())));
    std::wstring command = L"\"" + self + L"\" " +
                           std::wstring(MiniDumpChildOption, MiniDumpChildOption + std::strlen(MiniDumpChildOption)) +
                           L" \"" + folder.wstring() + L"\" " + std::wstring(way.begin(), way.end());
    STARTUPINFOW startup{};
    startup.cb = sizeof(startup);
    PROCESS_INFORMATION process{};
    if (::CreateProcessW(self.c_str(), command.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &startup,
                         &process) == 0) {
        ADD_FAILURE() << "CreateProcess: " << ::GetLastError();
        return 0;
    }
    DWORD code = 0;
    if (::WaitForSingleObject(process.hProcess, 60'000) != WAIT_OBJECT_0) {
        ADD_FAILURE() << way << " hangs";
        ::TerminateProcess(process.hProcess, 1);
    }
    ::GetExitCodeProcess(process.hProcess, &code);
    ::CloseHandle(process.hThread);
    ::CloseHandle(process.hProcess);
    return code;
}

#else

uint32_t RunChild(const fs::path& folder, const std::string& way)
{
    const std::string self = fs::read_symlink("/proc/self/exe").string();
    const std::string path = folder.string();
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit none{0, 0}; // no core file: this crash is wanted
        ::setrlimit(RLIMIT_CORE, &none);
        // The sanitizers' own handlers would end the process first.
        ::setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:handle_sigbus=0:detect_leaks=0", 1);
        ::setenv("TSAN_OPTIONS", "handle_segv=0:handle_abort=0", 1);
        ::execl(self.c_str(), self.c_str(), MiniDumpChildOption, path.c_str(), way.c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return static_cast<uint32_t>(WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status));
}

#endif

// IocpNetLib-20261124-021530-4711, and the system's ending. (std::regex makes GCC 12 warn about its own code.)
bool IsDumpName(const std::string& name)
{
#if defined(_WIN32)
    const std::string ending = ".dmp";
#else
    const std::string ending = ".txt";
#endif
    const std::string pattern = "IocpNetLib-dddddddd-dddddd-d"; // d: a digit
    if (name.size() < pattern.size() + ending.size() || !name.ends_with(ending))
        return false;
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    for (size_t i = 0; i < name.size() - ending.size(); ++i) {
        const char expected = i < pattern.size() ? pattern[i] : 'd';
        if (expected == 'd' ? !isDigit(name[i]) : name[i] != expected)
            return false;
    }
    return true;
}

// What the only file in folder contains; nothing if there is no folder or no file.
std::optional<std::string> ReadCrashFile(const fs::path& folder)
{
    if (!fs::exists(folder))
        return std::nullopt;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder))
        files.push_back(entry.path());
    EXPECT_EQ(files.size(), 1u);
    if (files.empty())
        return std::nullopt;
    EXPECT_TRUE(IsDumpName(files.front().filename().string())) << files.front();
    std::ifstream file(files.front(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Way {
    const char* Name;
    uint32_t WindowsCode; // of the exception that the dump has
    int Signal;
    const char* Function; // in the backtrace
};

void PrintTo(const Way& way, std::ostream* stream) { *stream << way.Name; }

class MiniDumpCrash : public testing::TestWithParam<Way> {};

uint32_t ReadNumber(const std::string& dump, size_t offset)
{
    uint32_t value = 0;
    if (offset + sizeof(value) <= dump.size())
        std::memcpy(&value, dump.data() + offset, sizeof(value));
    return value;
}

// The exception code of a minidump: header, directory of streams, stream 6. 0 if there is none.
[[maybe_unused]] uint32_t ExceptionCodeOf(const std::string& dump)
{
    if (!dump.starts_with("MDMP"))
        return 0;
    const uint32_t count = ReadNumber(dump, 8);
    for (uint32_t i = 0; i < count; ++i) {
        const size_t entry = ReadNumber(dump, 12) + size_t{12} * i;
        if (ReadNumber(dump, entry) == 6)
            return ReadNumber(dump, ReadNumber(dump, entry + 8) + size_t{8});
    }
    return 0;
}

TEST_P(MiniDumpCrash, LeavesAFile)
{
    const Way& way = GetParam();
#if defined(_WIN32)
    // Wine 8 has no room left on the stack for its own way to the handlers, and the process hangs.
    if (std::strstr(way.Name, "overflow") != nullptr &&
        ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr)
        GTEST_SKIP() << "Wine cannot report a stack overflow";
#endif
    const ScratchFolder scratch;
    const fs::path folder = scratch.Path() / "not there" / "yet";
    const uint32_t end = RunChild(folder, way.Name);
    const auto file = ReadCrashFile(folder);
    ASSERT_TRUE(file.has_value()) << "it ended with " << end;
#if defined(_WIN32)
    EXPECT_EQ(ExceptionCodeOf(*file), way.WindowsCode);
    EXPECT_NE(end, 0u);
#else
    EXPECT_EQ(end, 1000u + static_cast<uint32_t>(way.Signal)); // as without the file
    EXPECT_NE(file->find(std::string(" SIG") + ::sigabbrev_np(way.Signal) + ","), std::string::npos) << *file;
    EXPECT_NE(file->find(way.Function), std::string::npos) << *file;
    EXPECT_NE(file->find("\nRegisters\n"), std::string::npos) << *file;
    EXPECT_NE(file->find("\nMemory map\n"), std::string::npos) << *file;
    EXPECT_NE(file->find(std::strncmp(way.Name, "io-", 3) == 0 ? ", a thread of the core\n"
                                                               : ", a thread that had called the core\n"),
              std::string::npos)
        << *file;
#endif
}

constexpr Way Ways[] = {
    {"write", 0xC0000005, SIGSEGV, " NetLib::Test::CrashByWriting("},
    {"abort", 0x40000015, SIGABRT, " NetLib::Test::RunMiniDumpChild("},
    {"terminate", 0x40000015, SIGABRT, " NetLib::Test::CrashByTerminate("},
    {"io-thread", 0xC0000005, SIGSEGV, " NetLib::IOWorker::"},
    {"io-thread-overflow", 0xC00000FD, SIGSEGV, " NetLib::Test::CrashByRecursion("},
#if !defined(_WIN32)
    {"no-descriptor", 0, SIGSEGV, " NetLib::Test::CrashByWriting("},
#endif
    {"wild-call", 0xC0000005, SIGSEGV, " NetLib::Log::Write("},
};

INSTANTIATE_TEST_SUITE_P(Ways, MiniDumpCrash, testing::ValuesIn(Ways), [](const auto& info) {
    std::string name = info.param.Name;
    std::erase(name, '-');
    return name;
});

TEST(MiniDump, NoCrashNoFolder)
{
    const ScratchFolder scratch;
    EXPECT_EQ(RunChild(scratch.Path() / "a" / "b", "none"), 0u);
    EXPECT_TRUE(fs::is_empty(scratch.Path()));
}

TEST(MiniDump, DisabledAgain)
{
    const ScratchFolder scratch;
    EXPECT_NE(RunChild(scratch.Path(), "disabled"), 0u);
    EXPECT_FALSE(fs::exists(scratch.Path()) && !fs::is_empty(scratch.Path()));
}

#if !defined(_WIN32)
TEST(MiniDump, ASignalFromOutsideIsNoCrash)
{
    const ScratchFolder scratch;
    EXPECT_EQ(RunChild(scratch.Path(), "signal"), 1000u + SIGSEGV);
    EXPECT_TRUE(fs::is_empty(scratch.Path()));
}
#endif

TEST(MiniDump, FoldersThatCannotBe)
{
    const ScratchFolder scratch;
    std::ofstream(scratch.Path() / "file") << "text";
    const std::string inFile = (scratch.Path() / "file" / "folder").string();
    char error[512] = {};
    EXPECT_EQ(NetLib_EnableMiniDump(inFile.c_str(), error, sizeof(error)), NetLib_Result_FailMiniDump);
    EXPECT_NE(std::string(error).find(inFile), std::string::npos) << error;
    EXPECT_EQ(NetLib_EnableMiniDump("", error, sizeof(error)), NetLib_Result_FailMiniDump);
    EXPECT_EQ(NetLib_EnableMiniDump(nullptr, error, sizeof(error)), NetLib_Result_InvalidArgument);
    EXPECT_EQ(NetLib_EnableMiniDump("folder", nullptr, 1), NetLib_Result_InvalidArgument);
}

TEST(MiniDump, Names)
{
    EXPECT_STREQ(MakeMiniDumpName(0, 1).Text, "IocpNetLib-19700101-000000-1");
    EXPECT_STREQ(MakeMiniDumpName(951'782'399, 4711).Text, "IocpNetLib-20000228-235959-4711");
    EXPECT_STREQ(MakeMiniDumpName(951'782'400, 4711).Text, "IocpNetLib-20000229-000000-4711");
    EXPECT_STREQ(MakeMiniDumpName(1'795'486'530, UINT32_MAX).Text, "IocpNetLib-20261124-021530-4294967295");
    EXPECT_STREQ(MakeMiniDumpName(1'798'761'599, 4711).Text, "IocpNetLib-20261231-235959-4711");
}

} // namespace
} // namespace NetLib::Test
