// Minidumps: an exception handler in front of the system's, and a thread that writes.
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include <windows.h>

#include <dbghelp.h>

#include "MiniDump.h"

namespace NetLib {

struct MiniDumpStack::Memory {};

namespace {

constexpr DWORD LongestDump = 30'000;     // milliseconds that a crash waits for its dump
constexpr DWORD OtherThreadWait = 10'000; // milliseconds that another thread that crashes waits for the process's end
constexpr ULONG StackGuarantee = 64 * 1024;
// What abort stands for in a dump: it raises no exception of its own. STATUS_FATAL_APP_EXIT.
constexpr DWORD AbortCode = 0x40000015;

using WriteFunction = decltype(&::MiniDumpWriteDump);

// Written before any handler is installed, and kept for ever.
struct State {
    std::atomic<const std::wstring*> Folder{nullptr};
    std::vector<std::unique_ptr<std::wstring>> Folders; // each is kept: a handler may be using it
    WriteFunction WriteDump = nullptr;
    HANDLE Wanted = nullptr;
    HANDLE Written = nullptr;
    uintptr_t CoreBegin = 0;
    uintptr_t CoreEnd = 0;
    uintptr_t ProgramBegin = 0;
    uintptr_t ProgramEnd = 0;
    void* Handler = nullptr;
    LPTOP_LEVEL_EXCEPTION_FILTER PreviousFilter = nullptr;
    void (*PreviousAbort)(int) = SIG_DFL;

    std::atomic<DWORD> Owner{0}; // the thread whose crash is written
    EXCEPTION_POINTERS* Exception = nullptr;
};

State* g_State = nullptr;

void Tell(const char* text, const wchar_t* path) noexcept
{
    const HANDLE output = ::GetStdHandle(STD_ERROR_HANDLE);
    char line[1200] = "IocpNetLib: ";
    std::strcat(line, text);
    const auto length = static_cast<int>(std::strlen(line));
    const int added = ::WideCharToMultiByte(CP_UTF8, 0, path, -1, line + length,
                                            static_cast<int>(sizeof(line)) - length - 1, nullptr, nullptr);
    std::strcat(line, "\n");
    DWORD written = 0;
    if (added > 0)
        ::WriteFile(output, line, static_cast<DWORD>(std::strlen(line)), &written, nullptr);
}

int64_t SecondsSince1970() noexcept
{
    FILETIME now;
    ::GetSystemTimeAsFileTime(&now);
    const uint64_t ticks = (uint64_t{now.dwHighDateTime} << 32) + now.dwLowDateTime;
    return static_cast<int64_t>(ticks / 10'000'000) - 11'644'473'600;
}

// On the writing thread, which has a stack of its own and, unlike the one that crashed, nothing broken on it.
void Write(const State& state, const std::wstring& folder)
{
    for (size_t i = folder.find(L'\\', 3); i != std::wstring::npos; i = folder.find(L'\\', i + 1))
        ::CreateDirectoryW(folder.substr(0, i).c_str(), nullptr);
    ::CreateDirectoryW(folder.c_str(), nullptr); // it is there, or making the file fails
    const MiniDumpName name = MakeMiniDumpName(SecondsSince1970(), ::GetCurrentProcessId());
    const std::wstring path = folder + L'\\' + std::wstring(name.Text, name.Text + std::strlen(name.Text)) + L".dmp";
    const HANDLE file = ::CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, nullptr, CREATE_NEW,
                                      FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        Tell("crash of the native core; no crash file can be made: ", path.c_str());
        return;
    }
    MINIDUMP_EXCEPTION_INFORMATION exception{};
    exception.ThreadId = state.Owner.load();
    exception.ExceptionPointers = state.Exception;
    const bool isWritten = state.WriteDump(::GetCurrentProcess(), ::GetCurrentProcessId(), file,
                                           static_cast<MINIDUMP_TYPE>(MiniDumpNormal | MiniDumpWithThreadInfo |
                                                                      MiniDumpWithUnloadedModules),
                                           &exception, nullptr, nullptr) != FALSE;
    ::CloseHandle(file);
    Tell(isWritten ? "crash of the native core; crash file: " : "crash of the native core; incomplete crash file: ",
         path.c_str());
}

DWORD WINAPI WriterThread(void* argument)
{
    State& state = *static_cast<State*>(argument);
    if (::WaitForSingleObject(state.Wanted, INFINITE) != WAIT_OBJECT_0)
        return 0;
    try {
        Write(state, *state.Folder.load());
    } catch (const std::bad_alloc&) {
        Tell("crash of the native core, and no memory for a crash file", L"");
    }
    ::SetEvent(state.Written);
    return 0;
}

// Has the first crash of the process written. Uses little stack: after an overflow there is little.
void WriteOnce(EXCEPTION_POINTERS* exception) noexcept
{
    State& state = *g_State;
    if (state.Folder.load() == nullptr)
        return;
    const DWORD thread = ::GetCurrentThreadId();
    DWORD nobody = 0;
    if (state.Owner.compare_exchange_strong(nobody, thread)) {
        state.Exception = exception;
        ::SetEvent(state.Wanted);
        ::WaitForSingleObject(state.Written, LongestDump);
    } else if (nobody != thread) {
        ::WaitForSingleObject(state.Written, LongestDump);
        ::Sleep(OtherThreadWait); // the first thread ends the process
    }
}

bool IsFatal(DWORD code) noexcept
{
    switch (code) {
    case EXCEPTION_ACCESS_VIOLATION:
    case EXCEPTION_ARRAY_BOUNDS_EXCEEDED:
    case EXCEPTION_DATATYPE_MISALIGNMENT:
    case EXCEPTION_FLT_DIVIDE_BY_ZERO:
    case EXCEPTION_ILLEGAL_INSTRUCTION:
    case EXCEPTION_IN_PAGE_ERROR:
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
    case EXCEPTION_INT_OVERFLOW:
    case EXCEPTION_PRIV_INSTRUCTION:
    case EXCEPTION_STACK_OVERFLOW: return true;
    default: // C++ exceptions, what debuggers and the system use
        return false;
    }
}

// Every exception comes here before anybody has had a chance to handle it, but for the Go runtime, which has taken the
// faults of Go code by now. This library handles none, so a fault in its own code is the end. What it had called may
// have handlers, so that is left to the filter below.
LONG CALLBACK OnException(EXCEPTION_POINTERS* exception)
{
    const auto address = reinterpret_cast<uintptr_t>(exception->ExceptionRecord->ExceptionAddress);
    if (IsFatal(exception->ExceptionRecord->ExceptionCode) && address >= g_State->CoreBegin &&
        address < g_State->CoreEnd)
        WriteOnce(exception);
    return EXCEPTION_CONTINUE_SEARCH;
}

// What nobody handled.
LONG WINAPI OnUnhandled(EXCEPTION_POINTERS* exception)
{
    const auto address = reinterpret_cast<uintptr_t>(exception->ExceptionRecord->ExceptionAddress);
    const bool isProgram = address >= g_State->ProgramBegin && address < g_State->ProgramEnd;
    const bool isCore = address >= g_State->CoreBegin && address < g_State->CoreEnd;
    if (isCore || !isProgram)
        WriteOnce(exception);
    return g_State->PreviousFilter != nullptr ? g_State->PreviousFilter(exception) : EXCEPTION_CONTINUE_SEARCH;
}

void WriteHere() noexcept
{
    CONTEXT context;
    ::RtlCaptureContext(&context);
    EXCEPTION_RECORD record{};
    record.ExceptionCode = AbortCode;
    record.ExceptionFlags = EXCEPTION_NONCONTINUABLE;
#if defined(_M_ARM64) || defined(__aarch64__)
    record.ExceptionAddress = reinterpret_cast<void*>(context.Pc);
#else
    record.ExceptionAddress = reinterpret_cast<void*>(context.Rip);
#endif
    EXCEPTION_POINTERS exception{&record, &context};
    WriteOnce(&exception);
}

// abort, and with it std::terminate and a pure virtual call: none of them is an exception to the system.
void OnAbort(int signal)
{
    WriteHere();
    std::signal(SIGABRT, g_State->PreviousAbort);
    if (g_State->PreviousAbort != SIG_DFL && g_State->PreviousAbort != SIG_IGN)
        g_State->PreviousAbort(signal);
}

#if defined(_MSC_VER)
// The C library ends the process at once, past every handler, when one of its functions gets a bad argument.
void OnInvalidParameter(const wchar_t*, const wchar_t*, const wchar_t*, unsigned, uintptr_t) { std::abort(); }
#endif

bool FindModule(HMODULE module, uintptr_t& begin, uintptr_t& end) noexcept
{
    if (module == nullptr)
        return false;
    begin = reinterpret_cast<uintptr_t>(module);
    const auto* dos = reinterpret_cast<const IMAGE_DOS_HEADER*>(begin);
    const auto* nt = reinterpret_cast<const IMAGE_NT_HEADERS*>(begin + static_cast<uintptr_t>(dos->e_lfanew));
    end = begin + nt->OptionalHeader.SizeOfImage;
    return true;
}

// The sentence says what the system refused.
const char* Prepare(State& state) noexcept
{
    HMODULE core = nullptr;
    // For ever: a handler that was unloaded would be a crash of its own.
    if (::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                             reinterpret_cast<const wchar_t*>(&OnException), &core) == 0 ||
        !FindModule(core, state.CoreBegin, state.CoreEnd) ||
        !FindModule(::GetModuleHandleW(nullptr), state.ProgramBegin, state.ProgramEnd))
        return "crash files: the system does not keep this library loaded";
    const HMODULE library = ::LoadLibraryExW(L"dbghelp.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
    const FARPROC function = library == nullptr ? nullptr : ::GetProcAddress(library, "MiniDumpWriteDump");
    if (function == nullptr)
        return "crash files: the system has no dbghelp.dll with MiniDumpWriteDump";
    std::memcpy(&state.WriteDump, &function, sizeof(function));
    state.Wanted = ::CreateEventW(nullptr, FALSE, FALSE, nullptr);
    state.Written = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (state.Wanted == nullptr || state.Written == nullptr)
        return "crash files: the system refused an event";
    const HANDLE thread = ::CreateThread(nullptr, 0, WriterThread, &state, 0, nullptr);
    if (thread == nullptr)
        return "crash files: the system refused a thread";
    ::CloseHandle(thread);
    return nullptr;
}

} // namespace

std::expected<void, std::string> MiniDump::Install(const std::filesystem::path& folder)
{
    // Never destroyed: threads may crash while the process exits.
    alignas(State) static std::byte memory[sizeof(State)];
    static State* const state = ::new (static_cast<void*>(memory)) State;
    static bool isPrepared = false;
    if (!isPrepared) {
        if (const char* failure = Prepare(*state); failure != nullptr)
            return std::unexpected(failure);
        isPrepared = true;
    }
    std::wstring path = folder.wstring();
    while (path.size() > 3 && (path.ends_with(L'\\') || path.ends_with(L'/')))
        path.pop_back();
    state->Folders.push_back(std::make_unique<std::wstring>(std::move(path)));
    g_State = state;
    state->Folder.store(state->Folders.back().get());
    if (state->Handler == nullptr) {
        state->PreviousFilter = ::SetUnhandledExceptionFilter(OnUnhandled);
        state->PreviousAbort = std::signal(SIGABRT, OnAbort);
#if defined(_MSC_VER)
        ::_set_invalid_parameter_handler(OnInvalidParameter);
#endif
        state->Handler = ::AddVectoredExceptionHandler(0, OnException); // behind the Go runtime's
    }
    return {};
}

void MiniDump::Uninstall() noexcept
{
    if (g_State == nullptr)
        return;
    // The filter and the handler of aborts stay, and do nothing without a folder: there is no safe way to take them
    // out of the middle, should others have put theirs before them.
    g_State->Folder.store(nullptr);
}

MiniDumpStack::MiniDumpStack() = default;

MiniDumpStack::~MiniDumpStack() = default;

MiniDumpStack::Use::Use(MiniDumpStack& stack) noexcept : m_Stack(stack)
{
    ULONG size = StackGuarantee;
    ::SetThreadStackGuarantee(&size);
}

MiniDumpStack::Use::~Use() = default;

} // namespace NetLib
