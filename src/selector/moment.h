#pragma once

#include <optional>

#include "micro/duration.h"

namespace micro {

/// Where selectors have the time from; tests have their own.
using Clock = TimePoint (*)();

/// The time of one pick. The clock is read only if somebody asks.
class Moment {
 public:
  explicit Moment(Clock clock) : clock_(clock) {}

  TimePoint operator()() {
    if (!now_) now_ = clock_();
    return *now_;
  }

 private:
  Clock clock_;
  std::optional<TimePoint> now_;
};

}  // namespace micro
