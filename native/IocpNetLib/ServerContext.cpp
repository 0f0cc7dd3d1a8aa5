#include "ServerContext.h"

#include "IOWorker.h"

namespace NetLib {

ServerContext::ServerContext(const NetConfig& config, const Log& log, uint32_t lastGeneration)
    : Config(config), Logger(log), Messages(config.MaxMessagePoolCount, config.ExtraMessagePoolCount),
      SharedPayloads(config.MaxPacketSize), Connections(config.MaxConnectionCount, lastGeneration),
      SendBuffers(config.ConnectionMaxSendBufferSize)
{
}

ServerContext::~ServerContext() = default;

} // namespace NetLib
