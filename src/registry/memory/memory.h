#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/registry.h"

namespace micro {

/// A registry within this process, for tests and for programs whose services never leave it. Knows
/// what was registered with this very object. Takes no address.
Result<std::shared_ptr<Registry>> MakeMemoryRegistry(const RegistryConfig& config);

}  // namespace micro
