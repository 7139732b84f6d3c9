#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/events.h"

namespace micro {

/// Events that a NATS server or cluster keeps, with JetStream on (nats-server -js). The stream is
/// made where it is missing; one that is there is taken as it is. Each event is a message on
/// "<stream>.<topic>", its metadata NATS headers, its body as it is.
Result<std::shared_ptr<Events>> MakeJetStreamEvents(const EventsConfig& config);

}  // namespace micro
