#include "selector/load.h"

#include <algorithm>
#include <cmath>

namespace micro {
namespace {

// A failure weighs as much as two calls under way, the next ones twice as much each, and they are
// forgotten in this time.
constexpr int kMostDoublings = 6;
constexpr std::chrono::duration<double> kForgotten = std::chrono::seconds(5);

}  // namespace

void Load::Ended(Outcome outcome) noexcept {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  if (total_) total_->fetch_sub(1, std::memory_order_relaxed);
  if (outcome == Outcome::kAbandoned) return;
  const std::uint32_t failures = failures_.load(std::memory_order_relaxed);
  if (outcome != Outcome::kAnswered) {
    failures_.store(failures + 1, std::memory_order_relaxed);
    failed_at_.store(clock_().time_since_epoch().count(), std::memory_order_relaxed);
  } else if (failures > 0) {
    failures_.store(failures / 2, std::memory_order_relaxed);
  }
}

double Load::Penalty(TimePoint now) const {
  const TimePoint failed_at{TimePoint::duration(failed_at_.load(std::memory_order_relaxed))};
  const double left = 1 - std::chrono::duration<double>(now - failed_at) / kForgotten;
  const auto failures = static_cast<int>(failures_.load(std::memory_order_relaxed));
  if (left > 0) return left * std::exp2(std::min(failures, kMostDoublings));
  failures_.store(0, std::memory_order_relaxed);
  return 0;
}

}  // namespace micro
