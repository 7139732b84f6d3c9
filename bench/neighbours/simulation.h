#pragma once

#include <cstdint>
#include <string>

#include "neighbours/model.h"

namespace bench::neighbours {

/// What the model says of a selector of the library, which is driven in simulated time, with half a
/// millisecond to a server and back.
Outcomes Simulate(const std::string& selector, int clients, double seconds, std::uint64_t seed);

}  // namespace bench::neighbours
