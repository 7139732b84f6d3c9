#pragma once

#include <functional>
#include <memory>

#include "micro/handler.h"

#include "observe/observer.h"
#include "server/standard/health_board.h"

namespace micro::server {

/// What go-micro's Debug handler shows of a service.
struct DebugSources {
  std::shared_ptr<HealthBoard> health;
  std::shared_ptr<observe::Observer> observer;
  std::function<observe::CallTotals()> calls;  ///< of everything that is served
};

/// go-micro's Debug handler.
std::shared_ptr<Handler> MakeDebugHandler(DebugSources sources);

}  // namespace micro::server
