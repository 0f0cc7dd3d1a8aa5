// What is left of a process whose native code crashed: a minidump on Windows, a text with a backtrace on Linux.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace NetLib {

// Process-wide. Writes one file for the first unhandled fault in this library (a bad access, a stack overflow, an
// abort), and then lets happen what would have happened without it: the report of the Go runtime, a core dump.
//
// A fault is this library's if it happened in its code, on one of its threads, or in code that it had called. Others,
// a nil dereference in Go first of all, go to whoever handled them before, as if this were not there.
class MiniDump {
public:
    // Begins to write to folder (UTF-8), or changes the folder. The error is a sentence. Throws std::bad_alloc.
    [[nodiscard]] static std::expected<void, std::string> Begin(std::string_view folder);
    // Gives the faults back to whoever handled them before.
    static void End() noexcept;

private:
    // One a system. Install throws std::bad_alloc.
    [[nodiscard]] static std::expected<void, std::string> Install(const std::filesystem::path& folder);
    static void Uninstall() noexcept;
};

// What a thread of this library needs so that its faults are written, a stack overflow too: there must be a stack left
// to handle it on. Made and ended by the owner of the thread, whose life it covers. Throws std::bad_alloc.
class MiniDumpStack {
public:
    MiniDumpStack();
    MiniDumpStack(const MiniDumpStack&) = delete;
    MiniDumpStack& operator=(const MiniDumpStack&) = delete;
    ~MiniDumpStack();

    // While it lives, the thread that made it is prepared.
    class Use {
    public:
        explicit Use(MiniDumpStack& stack) noexcept;
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        ~Use();

    private:
        [[maybe_unused]] MiniDumpStack& m_Stack;
    };

private:
    struct Memory;
    std::unique_ptr<Memory> m_Memory; // null on Windows, where the system keeps a part of each stack free
};

// IocpNetLib-20261124-021530-4711 and a zero: the time is UTC, the number the process's. For crash handlers: it calls
// nothing.
struct MiniDumpName {
    char Text[48];
};
[[nodiscard]] MiniDumpName MakeMiniDumpName(int64_t secondsSince1970, uint32_t process) noexcept;

// Checks that files can be written to folder, which is made for that if it is missing, and removed again: it stays only
// with a dump in it. Returns its absolute path, or a sentence.
[[nodiscard]] std::expected<std::filesystem::path, std::string> CheckMiniDumpFolder(std::string_view folder);

} // namespace NetLib
