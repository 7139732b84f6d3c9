#pragma once

#include <string_view>

#include "micro/registry.h"

namespace micro {

/// Logs a warning, one line, that names the options for servers in `config` which the registry
/// called `registry` takes no notice of: who has set them believes that something is protected.
void WarnOfServerOptions(std::string_view registry, const RegistryConfig& config);

}  // namespace micro
