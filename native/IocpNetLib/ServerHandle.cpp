#include "ServerHandle.h"

NetLib_Server::Call::Call(NetLib_Server& handle) noexcept
    : m_Handle(handle), m_Server(handle.m_Open.load(std::memory_order_seq_cst))
{
    // Who finds it closed is not counted: a stop waits for those that came before, not for as long as others keep calling.
    if (m_Server == nullptr)
        return;
    // The count first: a stop clears m_Open and then waits for the count, so one of the two sees the other.
    m_Handle.m_Calls.fetch_add(1, std::memory_order_seq_cst);
    m_Server = m_Handle.m_Open.load(std::memory_order_seq_cst);
    if (m_Server == nullptr)
        m_Handle.Leave();
}

NetLib_Server::Call::~Call()
{
    if (m_Server != nullptr)
        m_Handle.Leave();
}

void NetLib_Server::Leave() noexcept
{
    if (m_Calls.fetch_sub(1, std::memory_order_seq_cst) == 1 && m_Ending.load(std::memory_order_seq_cst)) {
        const std::lock_guard lock(m_CallsMutex);
        m_NoCalls.notify_all();
    }
}

NetLib_Result NetLib_Server::Call::PollReason() const noexcept
{
    return m_Handle.m_Ending.load(std::memory_order_relaxed) ? NetLib_Result_Stopped : NetLib_Result_NotStarted;
}

NetLib_Server::~NetLib_Server() { (void)Stop({}); }

NetLib_Result NetLib_Server::Start(const NetLib_Config& config, std::string& error)
{
    const std::lock_guard lock(m_LifecycleMutex);
    if (m_Server != nullptr) {
        error = NetLib::ResultText(NetLib_Result_AlreadyStarted);
        return NetLib_Result_AlreadyStarted;
    }
    auto server = NetLib::IOCPServerNet::Start(config, m_LastGeneration);
    if (!server) {
        error = server.error().Text;
        return server.error().Result;
    }
    m_Server = std::move(*server);
    m_BackendName.store(m_Server->BackendName(), std::memory_order_relaxed);
    m_Open.store(m_Server.get(), std::memory_order_seq_cst);
    return NetLib_Result_Success;
}

NetLib_Result NetLib_Server::Stop(std::chrono::milliseconds drain)
{
    const std::lock_guard lock(m_LifecycleMutex);
    if (m_Server == nullptr)
        return NetLib_Result_NotStarted;
    KeepStats(); // for those who ask while it ends
    m_Ending.store(true, std::memory_order_seq_cst);
    m_Open.store(nullptr, std::memory_order_seq_cst);
    m_Server->EndPolling();
    {
        std::unique_lock callsLock(m_CallsMutex);
        m_NoCalls.wait(callsLock, [this] { return m_Calls.load(std::memory_order_seq_cst) == 0; });
    }
    m_Server->End(drain);
    KeepStats();
    m_LastGeneration = m_Server->LastGeneration();
    m_Server.reset();
    m_Ending.store(false, std::memory_order_seq_cst);
    return NetLib_Result_Success;
}

void NetLib_Server::KeepStats()
{
    const std::lock_guard lock(m_StatsMutex);
    m_LastStats = m_Server->Stats();
}

NetLib_Stats NetLib_Server::Stats()
{
    if (const Call call(*this); call.Server() != nullptr)
        return call.Server()->Stats();
    const std::lock_guard lock(m_StatsMutex);
    return m_LastStats;
}
