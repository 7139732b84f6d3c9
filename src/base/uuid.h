#pragma once

#include <string>

namespace micro {

/// A random UUID (version 4) in its usual text form, from the system's source of randomness.
std::string RandomUuid();

}  // namespace micro
