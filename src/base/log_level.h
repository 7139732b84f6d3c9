#pragma once

#include <string_view>

#include "micro/logger.h"

namespace micro {

/// What ParseLogLevel reads: "info", as go-micro spells it.
std::string_view LevelName(LogLevel level);

}  // namespace micro
