#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro {

/// A span of time, in nanoseconds; a steady point in time.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

/// Reads a duration as Go writes it: "300ms", "1.5s", "1h30m", "-2us", "0".
/// INVALID_ARGUMENT for anything else, a missing unit and an overflow of 64 bits included.
Result<Duration> ParseDuration(std::string_view text);

/// Writes a duration as Go does: "1m30s", "250ms", "0s".
std::string FormatDuration(Duration duration);

}  // namespace micro
