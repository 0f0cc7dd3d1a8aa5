// What the threads of one running server share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "BufferPool.h"
#include "ConnectionPool.h"
#include "Log.h"
#include "LogicQueue.h"
#include "MessagePool.h"
#include "NetConfig.h"
#include "Performance.h"
#include "SharedBlock.h"

namespace NetLib {

class IOWorker;

// How far a stop has come. It only ever advances.
enum class StopPhase : uint8_t {
    Running,
    Stopping, // no accepting and no reading any more; logic takes what is left
    Ending,   // logic takes nothing any more: send what is queued, close, end the threads
};

struct ServerContext {
    // Throws std::bad_alloc.
    ServerContext(const NetConfig& config, const Log& log, uint32_t lastGeneration);
    ServerContext(const ServerContext&) = delete;
    ServerContext& operator=(const ServerContext&) = delete;
    ~ServerContext();

    const NetConfig Config;
    std::mutex LimitsMutex;
    Limits CurrentLimits; // under it; workers keep a copy each
    Log Logger;
    MessagePool Messages;
    SharedBlockPool SharedBlocks; // Copy and Trim under LogicMutex; before the connections, which refer to them
    ConnectionPool Connections;
    LogicQueue Queue;

    std::atomic<StopPhase> Phase{StopPhase::Running};
    std::chrono::steady_clock::time_point EndDeadline{}; // set before Phase becomes Ending, constant from then
    // Connections that logic will be told of, or was told of and has not given the Close back.
    std::atomic<uint32_t> OpenForLogic{0};
    // The accepting worker may deal connections to the others: none of them ends before this is over.
    std::atomic<bool> IsAccepting{false};
    // I/O threads that will not begin to read or accept any more.
    std::atomic<uint32_t> WorkersStopped{0};

    // What Submit, Poll and the giving back of send rings share.
    std::mutex LogicMutex;
    BufferPool SendBuffers; // under LogicMutex

    LogicCounters Logic;

    // Last, so that the workers and their I/O end before what they use. Constant while threads run.
    std::vector<std::unique_ptr<IOWorker>> Workers;
};

} // namespace NetLib
