#include "IOCPServerNet.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "Statistics.h"

namespace NetLib {
namespace {

StartError Failure(NetLib_Result result, std::string detail = {})
{
    return {result, detail.empty() ? std::string(ResultText(result)) : std::move(detail)};
}

NetLib_Result ResultOf(ListenStep step) noexcept
{
    switch (step) {
    case ListenStep::Socket: return NetLib_Result_FailCreateListenSocketSocket;
    case ListenStep::Bind: return NetLib_Result_FailCreateListenSocketBind;
    case ListenStep::Listen: return NetLib_Result_FailCreateListenSocketListen;
    }
    return NetLib_Result_FailCreateListenSocketSocket;
}

} // namespace

std::expected<std::unique_ptr<IOCPServerNet>, StartError> IOCPServerNet::Start(const NetLib_Config& config,
                                                                               uint32_t lastGeneration)
{
    const auto checked = CheckConfig(config);
    if (!checked)
        return std::unexpected(checked.error());
    auto socketLayer = SocketLayer::Open();
    if (!socketLayer)
        return std::unexpected(
            Failure(NetLib_Result_FailCreateListenSocketStartup, SocketErrorText(socketLayer.error()).c_str()));
    const Log log(config.Log, config.LogUser, config.MinLogLevel);
    std::unique_ptr<IOCPServerNet> server;
    try {
        server = std::make_unique<IOCPServerNet>(std::move(*socketLayer), *checked, log, lastGeneration);
    } catch (const std::bad_alloc&) {
        return std::unexpected(Failure(NetLib_Result_FailCreateConnection,
                                       "no memory for " + std::to_string(checked->MaxConnectionCount) +
                                           " connections and " + std::to_string(checked->MaxMessagePoolCount) + " + " +
                                           std::to_string(checked->ExtraMessagePoolCount) + " messages"));
    }
    if (auto opened = server->Open(); !opened) {
        server->End({});
        return std::unexpected(opened.error());
    }
    log.Write(LogLevel::Debug, "listening on port %u (%s), %u I/O threads, %u connections", server->Port(),
              server->BackendName(), checked->WorkThreadCount, checked->MaxConnectionCount);
    return server;
}

IOCPServerNet::IOCPServerNet(SocketLayer socketLayer, const NetConfig& config, const Log& log, uint32_t lastGeneration)
    : m_SocketLayer(std::move(socketLayer)), m_Context(config, log, lastGeneration)
{
}

IOCPServerNet::~IOCPServerNet() { End({}); }

const char* IOCPServerNet::BackendName() const noexcept { return m_Context.Workers.front()->BackendName(); }

NetLib_Stats IOCPServerNet::Stats() const noexcept { return CollectStats(m_Context); }

std::expected<void, StartError> IOCPServerNet::Open()
{
    auto listenSocket = OpenListener();
    if (!listenSocket)
        return std::unexpected(listenSocket.error());
    m_Port = SocketAddress::LocalOf(listenSocket->Get()).Port();

    try {
        const bool hasThreads = m_Context.Config.WorkThreadCount != 0;
        for (uint32_t i = 0; i < std::max(m_Context.Config.WorkThreadCount, 1u); ++i) {
            auto worker = IOWorker::Create(m_Context, i);
            if (!worker)
                return std::unexpected(Failure(NetLib_Result_FailHandleIocpWork, worker.error()));
            m_Context.Workers.push_back(std::move(*worker));
        }
        if (!hasThreads)
            m_Inline = m_Context.Workers.front().get();
    } catch (const std::bad_alloc&) {
        return std::unexpected(Failure(NetLib_Result_OutOfMemory));
    }
    try {
        // The accepting worker comes last: when it begins, those that it deals to are there.
        for (size_t i = m_Context.Workers.size(); i-- > 0;) {
            auto listener = i == 0 ? std::move(*listenSocket) : UniqueSocket();
            auto listening = m_Inline != nullptr ? m_Inline->BeginInline(std::move(listener))
                                                 : m_Context.Workers[i]->Begin(std::move(listener)).get();
            if (!listening)
                return std::unexpected(Failure(NetLib_Result_FailLinkIocp, listening.error()));
        }
    } catch (const std::bad_alloc&) {
        return std::unexpected(Failure(NetLib_Result_OutOfMemory));
    } catch (const std::system_error& error) {
        return std::unexpected(Failure(NetLib_Result_FailCreateWorkThread, error.what()));
    }
    return {};
}

std::expected<UniqueSocket, StartError> IOCPServerNet::OpenListener()
{
    const NetConfig& config = m_Context.Config;
    const auto prepare = [&config](UniqueSocket& listener) {
        if constexpr (AcceptedSocketsInheritOptions)
            config.SetConnectionOptions(listener);
    };
    std::expected<UniqueSocket, ListenError> socket;
    if (config.BindAddress.empty()) {
        socket = OpenListenSocket(SocketAddress::AnyIPv6(config.PortNumber), true, prepare);
        // A system without IPv6 has no such socket or no such address: then IPv4 is all there is.
        if (!socket && (socket.error().Step == ListenStep::Socket || IsAddressMissing(socket.error().Error)))
            socket = OpenListenSocket(SocketAddress::AnyIPv4(config.PortNumber), false, prepare);
    } else {
        const auto address = SocketAddress::Parse(config.BindAddress, config.PortNumber);
        if (!address)
            return std::unexpected(Failure(NetLib_Result_BadBindAddress, "BindAddress " + address.error()));
        socket = OpenListenSocket(*address, false, prepare);
    }
    if (!socket)
        return std::unexpected(Failure(ResultOf(socket.error().Step), socket.error().Text));
    return std::move(*socket);
}

void IOCPServerNet::SetLimits(const Limits& limits)
{
    {
        const std::lock_guard lock(m_Context.LimitsMutex);
        m_Context.CurrentLimits = limits;
    }
    for (const auto& worker : m_Context.Workers)
        worker->NotifyLimits();
}

void IOCPServerNet::StopAccepting()
{
    for (const auto& worker : m_Context.Workers)
        worker->NotifyStopAccepting();
}

void IOCPServerNet::BeginStop()
{
    auto running = StopPhase::Running;
    if (!m_Context.Phase.compare_exchange_strong(running, StopPhase::Stopping, std::memory_order_acq_rel))
        return;
    for (const auto& worker : m_Context.Workers)
        worker->NotifyStop();
}

void IOCPServerNet::EndPolling() noexcept
{
    m_PollingEnded.store(true, std::memory_order_release);
    m_Context.Queue.Recheck();
    if (m_Inline != nullptr)
        m_Inline->NotifyPoll();
}

void IOCPServerNet::End(std::chrono::milliseconds drain)
{
    if (m_HasEnded)
        return;
    m_HasEnded = true;
    m_Context.EndDeadline = std::chrono::steady_clock::now() + drain;
    m_Context.Phase.store(StopPhase::Ending, std::memory_order_release);
    for (const auto& worker : m_Context.Workers)
        worker->NotifyStop();
    if (m_Inline != nullptr)
        m_Inline->FinishInline();
    for (const auto& worker : m_Context.Workers)
        worker->Join();
    DropUndelivered();
    if (m_Port != 0)
        m_Context.Logger.Write(LogLevel::Debug, "stopped listening on port %u", m_Port);
}

} // namespace NetLib
