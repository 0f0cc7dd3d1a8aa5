// The signal handler of the native core, in front of the Go runtime's.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <new>
#include <system_error>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "MiniDump.h"
#include "MiniDumpReport.h"

namespace NetLib {

// A stack for signal handlers. What stands at its end, which is used last, tells it from the stacks of others. A
// thread-local variable would tell as well, but in a library that is loaded at run time its first use may allocate.
struct MiniDumpStack::Memory {
    static constexpr size_t Size = size_t{128} * 1024; // the Go runtime handles its signals on it, too
    const void* Mark;
    stack_t Previous;
    alignas(64) std::byte Stack[Size];
};

namespace {

constexpr std::array Signals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int LongestReport = 20;   // seconds after which a report that hangs is given up, with the process
constexpr int OtherThreadWait = 10; // seconds that another thread that crashes waits for the end of the process

// What the handler uses. It is written before the handler is installed and freed never.
struct State {
    std::atomic<const MiniDumpTarget*> Target{nullptr};
    std::array<struct sigaction, Signals.size()> Previous{};
    bool IsInstalled = false;

    std::atomic<pid_t> Owner{0}; // the thread that looks at its fault
    std::atomic<bool> IsDone{false};
    // Open from the start, because the process may have no descriptor left when it crashes.
    int MapFile = -1;
    int SpareFile = -1;
    sigjmp_buf Recovery; // where the owner goes on after a second fault
    Backtrace Trace{};
    MemoryMap Map{};
    MiniDumpReport Report{};
};

// Its own function, so that nothing is made before it is needed; not a static of this one, which would be destroyed
// while threads of a process that exits may still crash.
State& TheState() noexcept
{
    alignas(State) static std::byte memory[sizeof(State)];
    static State* const state = ::new (static_cast<void*>(memory)) State;
    return *state;
}

State* g_State = nullptr; // the handler's

constexpr char StackMark = 0;

pid_t ThisThread() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

// The alternate stack of a thread of this library is one of its own.
bool IsCoreThread(const ucontext_t& context) noexcept
{
    if ((context.uc_stack.ss_flags & SS_DISABLE) != 0 || context.uc_stack.ss_sp == nullptr)
        return false;
    const void* mark = nullptr;
    std::memcpy(&mark, context.uc_stack.ss_sp, sizeof(mark)); // whosever it is, it is memory
    return mark == &StackMark;
}

void Pause(int milliseconds) noexcept { (void)::poll(nullptr, 0, milliseconds); }

// Runs body; a fault inside ends it.
template <class Body>
bool Survive(Body body) noexcept
{
    if (sigsetjmp(g_State->Recovery, 0) != 0)
        return false;
    body();
    return true;
}

// Makes this thread the owner, or says that another one has written its fault and that the process does not end.
bool BecomeOwner(pid_t thread) noexcept
{
    for (int waited = 0; waited < OtherThreadWait * 1000; waited += 10) {
        pid_t nobody = 0;
        if (g_State->Owner.compare_exchange_strong(nobody, thread))
            return true;
        Pause(10);
    }
    return false;
}

// Whether this library was at work: its code, or code that it had called. The thread is none of its own.
bool IsOurs(const MiniDumpTarget& target, ucontext_t& context) noexcept
{
    return target.Core.Contains(ProgramCounter(context)) || g_State->Trace.Touches(target.Core);
}

void CollectBacktrace(const MiniDumpTarget& target, int signal, ucontext_t& context) noexcept
{
    State& state = *g_State;
    const ucontext_t original = context; // a fault may leave it changed
    state.Trace.Count = 0;
    state.Map.Read(state.MapFile);
    MemoryMap::Entry entry{};
    state.Trace.IsWildCall = !state.Map.Find(ProgramCounter(context), entry) || !entry.IsCode;
    Survive([&] { state.Trace.Collect(context); });
    context.uc_mcontext = original.uc_mcontext;
    // LLVM's unwinder does not get through the function from which Clang calls std::terminate, nor out of one whose first
    // instruction is the fault.
    const bool isCutShort = state.Trace.Count <= 1 || (signal == SIGABRT && !state.Trace.Touches(target.Core));
    if (isCutShort && state.Map.Find(StackPointer(context), entry))
        Survive([&] { state.Trace.Scan(context, entry.Range.End, target.Core); });
}

// Tells where the file is, unless nobody reads standard error.
void Tell(const char* first, const char* second, const char* third) noexcept
{
    pollfd output{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&output, 1, 100) != 1)
        return;
    for (const char* text : {"IocpNetLib: ", first, second, third, "\n"}) {
        if (::write(STDERR_FILENO, text, std::strlen(text)) < 0)
            return;
    }
}

void WriteReport(const MiniDumpTarget& target, const siginfo_t& info, const ucontext_t& context) noexcept
{
    State& state = *g_State;
    MiniDumpReport& report = state.Report;
    if (!report.Open(target, state.SpareFile)) {
        Tell(SignalName(info.si_signo), " in the native core; no crash file can be made: ", report.Path());
        return;
    }
    // The parts that need least come first.
    Survive([&] { report.WriteCause(info, IsCoreThread(context)); });
    Survive([&] { report.WriteRegisters(context); });
    if (!Survive([&] { report.WriteBacktrace(target, state.Trace, state.Map); }))
        report.WriteText("\n  a second fault ended the backtrace\n");
    Survive([&] { report.WriteMemoryMap(state.Map); });
    report.Close();
    Tell(SignalName(info.si_signo), " in the native core; crash file: ", report.Path());
}

// A report that hangs ends the process rather than leave it standing, without the report of the Go runtime.
class Alarm {
public:
    Alarm() noexcept
    {
        struct sigaction end = {};
        end.sa_handler = SIG_DFL;
        ::sigaction(SIGALRM, &end, &m_Previous);
        sigset_t alarm;
        ::sigemptyset(&alarm);
        ::sigaddset(&alarm, SIGALRM);
        ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
        ::alarm(LongestReport);
    }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm()
    {
        ::alarm(0);
        ::sigaction(SIGALRM, &m_Previous, nullptr);
    }

private:
    struct sigaction m_Previous = {};
};

// Whether the fault is another's without a closer look. This is the way of every nil dereference in Go.
bool IsForeign(const MiniDumpTarget& target, const siginfo_t& info, const ucontext_t& context) noexcept
{
    // Somebody sent the signal: kill -SEGV stays what it is without this. An abort sends one to itself.
    if (info.si_code <= 0 && (info.si_signo != SIGABRT || info.si_code != SI_TKILL || info.si_pid != ::getpid()))
        return true;
    const uintptr_t address = ProgramCounter(context);
    return target.Program.Contains(address) && !target.Core.Contains(address);
}

void Examine(const MiniDumpTarget& target, const siginfo_t& info, ucontext_t& context) noexcept
{
    const pid_t thread = ThisThread();
    if (g_State->Owner.load() == thread) {
        if (!g_State->IsDone.load())
            siglongjmp(g_State->Recovery, 1);
        return; // the end that the Go runtime makes of it
    }
    if (IsForeign(target, info, context) || !BecomeOwner(thread))
        return;
    const Alarm alarm;
    CollectBacktrace(target, info.si_signo, context);
    if (!IsCoreThread(context) && !IsOurs(target, context)) {
        g_State->Owner.store(0);
        return;
    }
    WriteReport(target, info, context);
    g_State->IsDone.store(true); // and it stays the owner
}

// Hands the signal to whoever had it before.
void Forward(int signal, siginfo_t* info, void* context) noexcept
{
    const auto index = static_cast<size_t>(std::ranges::find(Signals, signal) - Signals.begin());
    const struct sigaction& previous = g_State->Previous[index];
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(signal, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal);
    } else if (previous.sa_handler == SIG_DFL || info->si_code > 0) {
        // The instruction is tried again, and then the system ends the process, with a core dump that shows it.
        struct sigaction end = {};
        end.sa_handler = SIG_DFL;
        ::sigaction(signal, &end, nullptr);
        if (info->si_code <= 0)
            (void)::raise(signal);
    }
}

void Handle(int signal, siginfo_t* info, void* context)
{
    const int error = errno;
    if (const MiniDumpTarget* target = g_State->Target.load(); target != nullptr)
        Examine(*target, *info, *static_cast<ucontext_t*>(context));
    errno = error;
    Forward(signal, info, context);
}

struct Modules {
    MiniDumpTarget* Target;
    std::string CoreFile;
    size_t Count;
};

// Finds this library and the program among the modules; the program comes first.
int VisitModule(dl_phdr_info* module, size_t, void* argument)
{
    auto& modules = *static_cast<Modules*>(argument);
    CodeRange code;
    for (size_t i = 0; i < module->dlpi_phnum; ++i) {
        const auto& segment = module->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0)
            continue;
        const uintptr_t begin = module->dlpi_addr + segment.p_vaddr;
        code.Begin = code.End == 0 ? begin : std::min(code.Begin, begin);
        code.End = std::max<uintptr_t>(code.End, begin + segment.p_memsz);
    }
    if (modules.Count == 0)
        modules.Target->Program = code;
    if (code.Contains(reinterpret_cast<uintptr_t>(&VisitModule))) {
        modules.Target->Core = code;
        modules.Target->CoreBase = module->dlpi_addr;
        modules.CoreFile = modules.Count == 0 ? "/proc/self/exe" : module->dlpi_name;
    }
    ++modules.Count;
    return 0;
}

// Keeps this library loaded for ever: a handler that was unloaded would be a crash of its own.
bool Pin() noexcept
{
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&Handle), &info) == 0)
        return false;
    if (::dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != nullptr)
        return true;
    (void)::dlerror();
    return g_State->Target.load()->Core.Begin == g_State->Target.load()->Program.Begin; // it is the program itself
}

void CloseFiles(State& state) noexcept
{
    for (int* file : {&state.MapFile, &state.SpareFile}) {
        if (*file >= 0)
            ::close(*file);
        *file = -1;
    }
}

} // namespace

std::expected<void, std::string> MiniDump::Install(const std::filesystem::path& folder)
{
    // Each is kept: a handler may be using it. There is one a change of the folder.
    static std::vector<std::unique_ptr<MiniDumpTarget>> targets;
    auto target = std::make_unique<MiniDumpTarget>();
    target->Folder = folder.string();
    while (target->Folder.size() > 1 && target->Folder.ends_with('/'))
        target->Folder.pop_back();
    Modules modules{target.get(), {}, 0};
    ::dl_iterate_phdr(VisitModule, &modules);
    target->Functions = FunctionNames(modules.CoreFile.c_str());
    targets.push_back(std::move(target));

    State& state = TheState();
    g_State = &state;
    state.Target.store(targets.back().get());
    if (state.IsInstalled)
        return {};
    if (!Pin()) {
        state.Target.store(nullptr);
        return std::unexpected("crash files: the system does not keep this library loaded");
    }
    state.MapFile = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    state.SpareFile = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (state.MapFile < 0 || state.SpareFile < 0) {
        const int error = errno;
        CloseFiles(state);
        state.Target.store(nullptr);
        return std::unexpected("crash files: /proc/self/maps cannot be opened: " +
                               std::generic_category().message(error));
    }
    // The unwinder loads what it needs when it is first used, which a handler could not do.
    ucontext_t here{};
    ::getcontext(&here);
    state.Trace.Collect(here);

    struct sigaction action = {};
    action.sa_sigaction = Handle;
    // NODEFER: a second fault, in the handler itself, comes here rather than end the process.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    ::sigfillset(&action.sa_mask);
    for (const int signal : Signals)
        ::sigdelset(&action.sa_mask, signal);
    // Before any is replaced: from then on the handler may run.
    for (size_t i = 0; i < Signals.size(); ++i)
        ::sigaction(Signals[i], nullptr, &state.Previous[i]);
    for (const int signal : Signals)
        ::sigaction(signal, &action, nullptr);
    state.IsInstalled = true;
    return {};
}

void MiniDump::Uninstall() noexcept
{
    if (g_State == nullptr)
        return;
    g_State->Target.store(nullptr);
    if (!g_State->IsInstalled)
        return;
    bool isOurs = true;
    for (const int signal : Signals) {
        struct sigaction now = {};
        isOurs = ::sigaction(signal, nullptr, &now) == 0 && now.sa_sigaction == Handle && isOurs;
    }
    // Whoever came later may hand signals on to this handler, which hands them on, too.
    if (!isOurs)
        return;
    for (size_t i = 0; i < Signals.size(); ++i)
        ::sigaction(Signals[i], &g_State->Previous[i], nullptr);
    g_State->IsInstalled = false;
    CloseFiles(*g_State);
}

MiniDumpStack::MiniDumpStack() : m_Memory(std::make_unique_for_overwrite<Memory>()) {}

MiniDumpStack::~MiniDumpStack() = default;

MiniDumpStack::Use::Use(MiniDumpStack& stack) noexcept : m_Stack(stack)
{
    Memory& memory = *stack.m_Memory;
    memory.Mark = &StackMark;
    stack_t mine{};
    mine.ss_sp = &memory;
    mine.ss_size = sizeof(memory);
    ::sigaltstack(&mine, &memory.Previous);
}

MiniDumpStack::Use::~Use() { ::sigaltstack(&m_Stack.m_Memory->Previous, nullptr); }

} // namespace NetLib
