#pragma once

#include <string>
#include <string_view>

#include "micro/events.h"

namespace micro::events {

/// Whether every store keeps this; INVALID_ARGUMENT says why not.
Status Check(std::string_view topic, const RawMessage& message, const AppendOptions& options);

/// Whether every store can be consumed so; INVALID_ARGUMENT says why not.
Status Check(const std::string& topic, const ConsumeOptions& options);

/// Whether a group, or a stream, can be called this: letters, digits, '-' and '_'.
bool IsName(std::string_view name);

}  // namespace micro::events
