#include "ServerContext.h"

#include "IOWorker.h"

namespace NetLib {

ServerContext::ServerContext(const NetConfig& config, const Log& log)
    : Config(config), Logger(log), Messages(config.MaxMessagePoolCount, config.ExtraMessagePoolCount),
      Connections(config.MaxConnectionCount)
{
}

ServerContext::~ServerContext() = default;

} // namespace NetLib
