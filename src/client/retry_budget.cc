#include "client/retry_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace micro::client {

// Calls are taken to have come evenly since the last look.
bool RetryBudget::Take(TimePoint now) {
  const double passed = std::max(std::chrono::duration<double>(now - at_).count(), 1e-9);
  const auto calls = static_cast<double>(std::exchange(calls_, 0));
  const double kept = std::exp(-passed / kWindow);
  recent_ = recent_ * kept + calls / passed * kWindow * (1 - kept);
  at_ = std::max(at_, now);
  left_ = std::min(left_ + kShare * calls + per_second_ * passed,
                   kShare * recent_ + per_second_ * kWindow);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

}  // namespace micro::client
