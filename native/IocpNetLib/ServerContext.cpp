#include "ServerContext.h"

#include <algorithm>

#include "IOWorker.h"

namespace NetLib {
namespace {

// A room's broadcasts of one turn, or the largest packet.
uint32_t SharedBlockSizeOf(const NetConfig& config) noexcept
{
    constexpr uint32_t SomePackets = 16 << 10;
    return std::max(config.MaxPacketSize, std::min(SomePackets, config.ConnectionMaxSendBufferSize));
}

} // namespace

ServerContext::ServerContext(const NetConfig& config, const Log& log, uint32_t lastGeneration)
    : Config(config), CurrentLimits(config.InitialLimits), Logger(log),
      Messages(config.MaxMessagePoolCount, config.ExtraMessagePoolCount), SharedBlocks(SharedBlockSizeOf(config)),
      Connections(config.MaxConnectionCount, lastGeneration), SendBuffers(config.ConnectionMaxSendBufferSize)
{
}

ServerContext::~ServerContext() = default;

} // namespace NetLib
