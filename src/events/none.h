#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/events.h"

namespace micro {

/// What stands in for a store where none was chosen: it answers everything with `why`, or else
/// that.
Result<std::shared_ptr<Events>> MakeNoEvents(Status why);

}  // namespace micro
