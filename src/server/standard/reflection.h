#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "micro/handler.h"

namespace micro::server {

enum class ReflectionVersion : std::uint8_t { kV1, kV1Alpha };

/// gRPC's server reflection; `services` gives the full names of what is served.
std::shared_ptr<Handler> MakeReflectionHandler(ReflectionVersion version,
                                               std::function<std::vector<std::string>()> services);

}  // namespace micro::server
