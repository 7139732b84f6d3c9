#pragma once

#include <memory>

#include "micro/broker.h"
#include "micro/registry.h"

namespace micro {

/// A registry that knows of nothing, for a Service whose options cannot be used.
std::shared_ptr<Registry> EmptyRegistry();
/// A broker that reaches nobody, for the same.
std::shared_ptr<Broker> EmptyBroker();

}  // namespace micro
