#include "MiniDumpReport.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iterator>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include "MiniDump.h"

namespace NetLib {
namespace {

// Reads hexadecimal or decimal digits and moves text behind them.
uint64_t ParseNumber(const char*& text, const char* end, unsigned base) noexcept
{
    uint64_t value = 0;
    for (; text < end; ++text) {
        const auto c = static_cast<unsigned char>(*text);
        const unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16u;
        if (digit >= base)
            break;
        value = value * base + digit;
    }
    return value;
}

// A line of /proc/PID/maps: begin-end rwxp offset major:minor inode path
bool ParseLine(const char* text, const char* end, MemoryMap::Entry& entry) noexcept
{
    entry = {};
    entry.Range.Begin = ParseNumber(text, end, 16);
    if (end - text < 7 || *text++ != '-')
        return false;
    entry.Range.End = ParseNumber(text, end, 16);
    if (end - text < 6)
        return false;
    entry.IsCode = text[3] == 'x';
    text += 6;
    entry.Offset = ParseNumber(text, end, 16);
    for (int skipped = 0; skipped < 2 && text < end; ++text)
        skipped += *text == ' ' ? 1 : 0;
    entry.Inode = ParseNumber(text, end, 10);
    text = std::find_if(text, end, [](char c) { return c != ' '; });
    entry.Path = text;
    entry.PathLength = static_cast<size_t>(end - text);
    return true;
}

struct Walk {
    Backtrace* Trace;
    uintptr_t From; // where it begins; what comes before are the frames of the signal handler
    bool HasBegun;
};

_Unwind_Reason_Code Visit(_Unwind_Context* context, void* argument) noexcept
{
    auto& walk = *static_cast<Walk*>(argument);
    Backtrace& trace = *walk.Trace;
    const uintptr_t address = _Unwind_GetIP(context);
    walk.HasBegun = walk.HasBegun || address == walk.From;
    if (!walk.HasBegun)
        return _URC_NO_REASON;
    if (address == 0 || trace.Count == Backtrace::MaxCount)
        return _URC_END_OF_STACK;
    trace.Addresses[trace.Count] = address;
    ++trace.Count;
    return _URC_NO_REASON;
}

const char* CodeText(int signal, int code) noexcept
{
    if (code == SI_TKILL)
        return "sent by the program itself, as abort does";
    switch (signal) {
    case SIGSEGV:
        switch (code) {
        case SEGV_MAPERR: return "nothing is at that address";
        case SEGV_ACCERR: return "access to that address is not allowed";
        default: return "bad access; the processor does not tell the address";
        }
    case SIGFPE: return code == FPE_INTDIV ? "integer division by zero" : "arithmetic error";
    case SIGILL: return "illegal instruction";
    case SIGBUS: return code == BUS_ADRALN ? "unaligned address" : "no memory behind that address";
    default: return "";
    }
}

} // namespace

const char* SignalName(int signal) noexcept
{
    switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    case SIGABRT: return "SIGABRT";
    default: return "signal";
    }
}

uintptr_t ProgramCounter(const ucontext_t& context) noexcept
{
#if defined(__x86_64__)
    return static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return context.uc_mcontext.pc;
#else
#  error "The crash file knows the registers of x86-64 and of AArch64"
#endif
}

uintptr_t StackPointer(const ucontext_t& context) noexcept
{
#if defined(__x86_64__)
    return static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
    return context.uc_mcontext.sp;
#else
#  error "The crash file knows the registers of x86-64 and of AArch64"
#endif
}

void Backtrace::Collect(ucontext_t& context) noexcept
{
    Count = 0;
    Walk walk{this, ProgramCounter(context), false};
    if (IsWildCall) {
        // The unwinder does not get beyond an address that is no code. It is told that the call has returned.
        Addresses[Count++] = walk.From;
#if defined(__x86_64__)
        greg_t* registers = context.uc_mcontext.gregs;
        const greg_t rip = registers[REG_RIP];
        registers[REG_RIP] = *reinterpret_cast<const greg_t*>(registers[REG_RSP]);
        registers[REG_RSP] += static_cast<greg_t>(sizeof(greg_t));
        walk.From = ProgramCounter(context);
        _Unwind_Backtrace(Visit, &walk);
        registers[REG_RSP] -= static_cast<greg_t>(sizeof(greg_t));
        registers[REG_RIP] = rip;
#else
        const auto pc = context.uc_mcontext.pc;
        context.uc_mcontext.pc = context.uc_mcontext.regs[30];
        walk.From = ProgramCounter(context);
        _Unwind_Backtrace(Visit, &walk);
        context.uc_mcontext.pc = pc;
#endif
        return;
    }
    _Unwind_Backtrace(Visit, &walk);
    if (Count == 0) // the unwinder did not get through the signal handler
        Addresses[Count++] = walk.From;
}

bool Backtrace::Touches(const CodeRange& code) const noexcept
{
    return std::any_of(Addresses, Addresses + Count, [&](uintptr_t address) { return code.Contains(address); });
}

void Backtrace::Scan(const ucontext_t& context, uintptr_t end, const CodeRange& code) noexcept
{
    constexpr uintptr_t Word = sizeof(uintptr_t);
    constexpr uintptr_t Longest = uintptr_t{16} * 1024; // abort and terminate need far less
    const uintptr_t begin = (StackPointer(context) + Word - 1) & ~(Word - 1);
    end = std::min(end, begin + Longest);
    for (uintptr_t at = begin; at + Word <= end && Count < MaxCount; at += Word) {
        const uintptr_t address = *reinterpret_cast<const uintptr_t*>(at);
        if (code.Contains(address))
            Addresses[Count++] = address;
    }
}

void MemoryMap::Read(int file) noexcept
{
    Length = 0;
    (void)::lseek(file, 0, SEEK_SET); // what follows is made anew, also of a file that was read before
    for (ssize_t got = 1; got > 0 && Length < sizeof(Text); Length += static_cast<size_t>(std::max<ssize_t>(got, 0)))
        got = ::read(file, Text + Length, sizeof(Text) - Length);
}

bool MemoryMap::Find(uintptr_t address, Entry& entry) const noexcept
{
    for (const char *line = Text, *end = Text + Length; line < end;) {
        const char* const lineEnd = std::find(line, end, '\n');
        if (ParseLine(line, lineEnd, entry) && entry.Range.Contains(address))
            return true;
        line = lineEnd + 1;
    }
    return false;
}

bool MiniDumpReport::Open(const MiniDumpTarget& target, int spare) noexcept
{
    const MiniDumpName name = MakeMiniDumpName(::time(nullptr), static_cast<uint32_t>(::getpid()));
    const char* const parts[] = {target.Folder.c_str(), "/", name.Text, ".txt"};
    size_t length = 0;
    for (const char* part : parts) {
        const size_t partLength = std::strlen(part);
        if (length + partLength >= sizeof(m_Path)) {
            errno = ENAMETOOLONG;
            return false;
        }
        std::memcpy(m_Path + length, part, partLength + 1);
        length += partLength;
    }
    for (size_t i = 1; i <= target.Folder.size(); ++i) {
        if (m_Path[i] == '/') {
            m_Path[i] = '\0';
            ::mkdir(m_Path, 0777); // it is there, or the open below fails
            m_Path[i] = '/';
        }
    }
    // Only for the owner: the registers may hold what clients sent.
    const auto open = [this] { return ::open(m_Path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); };
    m_File = open();
    if (m_File < 0 && (errno == EMFILE || errno == ENFILE)) {
        ::close(spare);
        m_File = open();
    }
    return m_File >= 0;
}

void MiniDumpReport::Close() noexcept { ::close(m_File); }

void MiniDumpReport::Write(const char* text, size_t length) noexcept
{
    while (length > 0) {
        const ssize_t written = ::write(m_File, text, length);
        if (written <= 0 && errno != EINTR)
            return;
        text += std::max<ssize_t>(written, 0);
        length -= static_cast<size_t>(std::max<ssize_t>(written, 0));
    }
}

void MiniDumpReport::WriteText(const char* text) noexcept { Write(text, std::strlen(text)); }

void MiniDumpReport::WriteDecimal(int64_t value, int digits) noexcept
{
    char text[24];
    char* begin = std::end(text);
    uint64_t rest = value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    for (; rest != 0 || digits > 0; rest /= 10, --digits)
        *--begin = static_cast<char>('0' + rest % 10);
    if (value < 0)
        *--begin = '-';
    Write(begin, static_cast<size_t>(std::end(text) - begin));
}

void MiniDumpReport::WriteHex(uint64_t value, int digits) noexcept
{
    char text[18];
    char* begin = std::end(text);
    for (; value != 0 || digits > 0; value /= 16, --digits)
        *--begin = "0123456789abcdef"[value % 16];
    *--begin = 'x';
    *--begin = '0';
    Write(begin, static_cast<size_t>(std::end(text) - begin));
}

void MiniDumpReport::WriteCause(const siginfo_t& info, bool isCoreThread) noexcept
{
    char program[1024];
    const ssize_t length = ::readlink("/proc/self/exe", program, sizeof(program));
    char thread[17] = {};
    ::prctl(PR_GET_NAME, thread);

    WriteText("IocpNetLib: the native network core crashed.\n\nprogram   ");
    Write(program, static_cast<size_t>(std::max<ssize_t>(length, 0)));
    WriteText("\nprocess   ");
    WriteDecimal(::getpid());
    WriteText("\nthread    ");
    WriteDecimal(::syscall(SYS_gettid));
    WriteText(" ");
    WriteText(thread);
    WriteText(isCoreThread ? ", a thread of the core" : ", a thread that had called the core");
    WriteText("\nsignal    ");
    WriteDecimal(info.si_signo);
    WriteText(" ");
    WriteText(SignalName(info.si_signo));
    WriteText(", code ");
    WriteDecimal(info.si_code);
    WriteText(": ");
    WriteText(CodeText(info.si_signo, info.si_code));
    if (info.si_code > 0) {
        WriteText("\naddress   ");
        WriteHex(reinterpret_cast<uintptr_t>(info.si_addr), 16);
    }
    WriteText("\n");
}

void MiniDumpReport::WriteRegisters(const ucontext_t& context) noexcept
{
    WriteText("\nRegisters\n");
    int column = 0;
    const auto write = [&](const char* name, uint64_t value) {
        WriteText("  ");
        WriteText(name);
        WriteText(" ");
        WriteHex(value, 16);
        if (++column % 3 == 0)
            WriteText("\n");
    };
#if defined(__x86_64__)
    constexpr struct {
        const char* Name;
        int Index;
    } Registers[] = {{"rip", REG_RIP}, {"rsp", REG_RSP}, {"rbp", REG_RBP}, {"rax", REG_RAX}, {"rbx", REG_RBX},
                     {"rcx", REG_RCX}, {"rdx", REG_RDX}, {"rsi", REG_RSI}, {"rdi", REG_RDI}, {"r8 ", REG_R8},
                     {"r9 ", REG_R9},  {"r10", REG_R10}, {"r11", REG_R11}, {"r12", REG_R12}, {"r13", REG_R13},
                     {"r14", REG_R14}, {"r15", REG_R15}, {"efl", REG_EFL}};
    for (const auto& entry : Registers)
        write(entry.Name, static_cast<uint64_t>(context.uc_mcontext.gregs[entry.Index]));
#else
    write("pc ", context.uc_mcontext.pc);
    write("sp ", context.uc_mcontext.sp);
    write("pst", context.uc_mcontext.pstate);
    for (int i = 0; i < 31; ++i) {
        const char name[] = {'x', static_cast<char>(i < 10 ? '0' + i : '0' + i / 10),
                             static_cast<char>(i < 10 ? ' ' : '0' + i % 10), '\0'};
        write(name, context.uc_mcontext.regs[i]);
    }
    WriteText("\n");
#endif
}

void MiniDumpReport::WriteBacktrace(const MiniDumpTarget& target, const Backtrace& trace, const MemoryMap& map) noexcept
{
    WriteText("\nBacktrace (function + offset, file + address for addr2line -Cfie FILE ADDRESS)\n");
    for (size_t i = 0; i < trace.Count; ++i) {
        WriteText("  #");
        WriteDecimal(static_cast<int64_t>(i), 2);
        WriteText(" ");
        WriteHex(trace.Addresses[i], 16);
        WriteText(" ");
        // What called something is named by the call, not by what comes after it: that may be another function.
        WriteFrame(target, map, trace.Addresses[i], i > 0);
        if (i == 0 && trace.IsWildCall)
            WriteText(" (no code: a call through a bad pointer)");
        WriteText("\n");
    }
    if (trace.Count == Backtrace::MaxCount)
        WriteText("  and so on\n");
}

void MiniDumpReport::WriteFrame(const MiniDumpTarget& target, const MemoryMap& map, uintptr_t address,
                                bool isReturn) noexcept
{
    const uintptr_t within = address - (isReturn ? 1 : 0);
    MemoryMap::Entry entry{};
    const bool isMapped = map.Find(within, entry) && entry.PathLength > 0;
    ElfFile file;
    uint64_t inFile = within - target.CoreBase;
    bool hasAddress = target.Core.Contains(within);
    ElfFile::Symbol symbol{};
    if (hasAddress) {
        if (const FunctionNames::Function* function = target.Functions.Find(inFile); function != nullptr)
            symbol = {function->Name.c_str(), function->Address, function->Size};
    } else if (isMapped && entry.Inode != 0) {
        char path[4096];
        const size_t length = std::min(entry.PathLength, sizeof(path) - 1);
        std::memcpy(path, entry.Path, length);
        path[length] = '\0';
        // Another inode is another file: it was replaced, and its names would be wrong.
        if (file.Open(path, entry.Inode) && file.AddressOf(within - entry.Range.Begin + entry.Offset, inFile)) {
            hasAddress = true;
            (void)file.Find(inFile, symbol);
        }
    }
    if (symbol.Name != nullptr) {
        WriteText(symbol.Name);
        WriteText(" + ");
        WriteHex(inFile - symbol.Address + (isReturn ? 1 : 0));
    } else {
        WriteText("?");
    }
    if (isMapped) {
        WriteText("  ");
        Write(entry.Path, entry.PathLength);
        if (hasAddress) {
            WriteText(" + ");
            WriteHex(inFile);
        }
    }
}

void MiniDumpReport::WriteMemoryMap(const MemoryMap& map) noexcept
{
    WriteText("\nMemory map\n");
    Write(map.Text, map.Length);
}

} // namespace NetLib
