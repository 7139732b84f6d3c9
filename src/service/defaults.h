#pragma once

#include <memory>

#include "micro/registry.h"

namespace micro {

/// A registry that knows of nothing, for a Service whose options cannot be used.
std::shared_ptr<Registry> EmptyRegistry();

}  // namespace micro
