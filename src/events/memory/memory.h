#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/events.h"

namespace micro {

/// What the memory stores of one program have in common.
class EventLog;
std::shared_ptr<EventLog> MakeEventLog();

/// Events kept in memory, for tests and for programs that need to survive nothing: all stores on
/// one log share it, and it goes with them. The limits of `config` hold; servers it has none.
Result<std::shared_ptr<Events>> MakeMemoryEvents(std::shared_ptr<EventLog> log,
                                                 const EventsConfig& config);

}  // namespace micro
