#pragma once

#include <vector>

#include "micro/registry.h"

namespace micro {

/// Adds a service's nodes to `services`, which hold one element a version: a version that is there
/// gets the nodes it lacks and the others replaced, the rest of it from `service`.
void MergeService(std::vector<ServiceInfo>& services, ServiceInfo service);

}  // namespace micro
