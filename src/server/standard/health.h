#pragma once

#include <memory>

#include "micro/handler.h"

#include "server/standard/health_board.h"

namespace micro::server {

/// grpc.health.v1 over a board.
std::shared_ptr<Handler> MakeHealthHandler(std::shared_ptr<HealthBoard> board);

}  // namespace micro::server
