// The text that a crash leaves on Linux.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>

#include <ucontext.h>

#include "MiniDumpSymbols.h"

namespace NetLib {

// A module's code in memory.
struct CodeRange {
    uintptr_t Begin = 0;
    uintptr_t End = 0;
    [[nodiscard]] bool Contains(uintptr_t address) const noexcept { return address >= Begin && address < End; }
};

// What is found out before any crash.
struct MiniDumpTarget {
    std::string Folder;
    CodeRange Core;         // this library, or the program that it was linked into
    CodeRange Program;      // the program's own code
    uintptr_t CoreBase = 0; // what its file's addresses are counted from
    FunctionNames Functions;
};

// Everything below is for signal handlers: it allocates nothing, takes no lock, and has no destructor, because a second
// fault may end any of it at any point.

// The addresses that were being executed, the innermost first.
struct Backtrace {
    static constexpr size_t MaxCount = 64;
    uintptr_t Addresses[MaxCount];
    size_t Count;
    bool IsWildCall; // the first address was no code: the second one is its caller

    // Follows the stack of context. What was found before a fault stays.
    void Collect(ucontext_t& context) noexcept;
    // Adds what looks like return addresses into code on the next part of the stack of context, from its top to the end
    // of range at most: for frames that tell the unwinder nothing.
    void Scan(const ucontext_t& context, uintptr_t end, const CodeRange& code) noexcept;
    [[nodiscard]] bool Touches(const CodeRange& code) const noexcept;
};

[[nodiscard]] uintptr_t ProgramCounter(const ucontext_t& context) noexcept;
[[nodiscard]] uintptr_t StackPointer(const ucontext_t& context) noexcept;

// The modules of the process, read from the system.
struct MemoryMap {
    struct Entry {
        CodeRange Range;
        uint64_t Offset;
        uint64_t Inode;
        const char* Path; // not terminated
        size_t PathLength;
        bool IsCode;
    };
    char Text[256 * 1024]; // what is beyond it has no names
    size_t Length;

    // From file, which is /proc/self/maps.
    void Read(int file) noexcept;
    [[nodiscard]] bool Find(uintptr_t address, Entry& entry) const noexcept;
};

// A file that is being written.
class MiniDumpReport {
public:
    // Makes the file, and its folder if it is missing; its path stays in Path(). False, with errno, if that fails. A
    // process without a free descriptor gets spare, which is closed for it.
    [[nodiscard]] bool Open(const MiniDumpTarget& target, int spare) noexcept;
    void Close() noexcept;
    [[nodiscard]] const char* Path() const noexcept { return m_Path; }

    void WriteCause(const siginfo_t& info, bool isCoreThread) noexcept;
    void WriteRegisters(const ucontext_t& context) noexcept;
    void WriteBacktrace(const MiniDumpTarget& target, const Backtrace& trace, const MemoryMap& map) noexcept;
    void WriteMemoryMap(const MemoryMap& map) noexcept;
    void WriteText(const char* text) noexcept;

private:
    void Write(const char* text, size_t length) noexcept;
    void WriteDecimal(int64_t value, int digits = 1) noexcept;
    void WriteHex(uint64_t value, int digits = 1) noexcept;
    void WriteFrame(const MiniDumpTarget& target, const MemoryMap& map, uintptr_t address, bool isReturn) noexcept;

    int m_File = -1;
    char m_Path[4096];
};

[[nodiscard]] const char* SignalName(int signal) noexcept;

} // namespace NetLib
