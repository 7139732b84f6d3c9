#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "micro/selector.h"

#include "selector/moment.h"

namespace micro {

/// Calls under way at all nodes of a selector.
using TotalLoad = std::atomic<std::uint64_t>;

/// What one client has under way at one node, and how badly that node did lately. Thread-safe.
class alignas(64) Load final : public Pick::Listener {
 public:
  /// `total` is counted in as well, if there is one.
  explicit Load(Clock clock, std::shared_ptr<TotalLoad> total = {})
      : clock_(clock), total_(std::move(total)) {}

  void Begin() noexcept {
    in_flight_.fetch_add(1, std::memory_order_relaxed);
    if (total_) total_->fetch_add(1, std::memory_order_relaxed);
  }
  void Ended(Outcome outcome) noexcept override;

  std::uint32_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
  /// Calls under way, and for each failure of late some more: a node that fails at once would have
  /// the fewest and win.
  double Burden(Moment& moment) const {
    const double calls = in_flight();
    return failures_.load(std::memory_order_relaxed) == 0 ? calls : calls + Penalty(moment());
  }

 private:
  double Penalty(TimePoint now) const;

  const Clock clock_;
  const std::shared_ptr<TotalLoad> total_;
  std::atomic<std::uint32_t> in_flight_{0};
  mutable std::atomic<std::uint32_t> failures_{0};
  std::atomic<TimePoint::rep> failed_at_{0};
};

}  // namespace micro
