#pragma once

#include <algorithm>

#include "micro/duration.h"

namespace micro {

/// How long to wait before the next of several tries: `first`, twice as long after each of `tries`,
/// up to `longest`; then up to a quarter more or less, as `chance` (from 0 on and below 1) has it,
/// lest all who wait come back together.
inline Duration Backoff(Duration first, Duration longest, int tries, double chance) {
  Duration delay = first;
  for (int i = 0; i < tries && delay < longest; ++i) delay *= 2;
  const auto nanoseconds = static_cast<double>(std::min(delay, longest).count());
  return Duration(static_cast<Duration::rep>(nanoseconds * (0.75 + 0.5 * chance)));
}

}  // namespace micro
