#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "micro/selector.h"

#include "base/dice.h"
#include "selector/load.h"

namespace micro {

/// A node as a selector keeps it: picks hold on to it.
struct Member {
  NodePtr node;
  std::shared_ptr<Load> load;  ///< stays the same when the node's description changes
  double weight = 1;
  TimePoint joined;  ///< when it came to the others; the earliest time there is: with them
};

/// A member, with what every pick looks at beside it.
struct Candidate {
  std::shared_ptr<const Member> member;
  Load* load;
  double weight;
};

/// The nodes that a selector picks from; what a reader holds stays as it is.
class Candidates {
 public:
  /// How often a node is drawn at random, before the rest is searched in order.
  static constexpr int kDraws = 16;

  Candidates() = default;
  Candidates(std::vector<Candidate> all, Duration slow_start, Clock clock);

  bool empty() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }
  const Candidate& operator[](std::size_t index) const { return all_[index]; }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  Moment now() const { return Moment(clock_); }

  /// Whether all have the same share of the calls.
  bool even() const { return even_ && !starting_.load(std::memory_order_relaxed); }
  /// The largest weight.
  double heaviest() const { return heaviest_; }
  /// A node's weight, less for one that is new.
  double Share(const Candidate& candidate, Moment& moment) const {
    return starting_.load(std::memory_order_relaxed) ? Ramp(candidate, moment()) : candidate.weight;
  }

  static bool WasTried(const Candidate& candidate, const PickContext& context) {
    return !context.tried.empty() && std::find(context.tried.begin(), context.tried.end(),
                                               candidate.member->node->id) != context.tried.end();
  }

  /// One that was not tried, each as likely as its share; null when there is none.
  const Candidate* Draw(const PickContext& context, Dice& dice, Moment& moment) const;
  /// The first from `start` on, in a circle, that was not tried; null when there is none.
  const Candidate* FirstUntried(std::size_t start, const PickContext& context) const;
  /// Why there is nothing to pick.
  Failure Nothing() const;

 private:
  double Ramp(const Candidate& candidate, TimePoint now) const;

  std::vector<Candidate> all_;
  Duration slow_start_{};
  Clock clock_ = std::chrono::steady_clock::now;
  double heaviest_ = 1;
  bool even_ = true;
  TimePoint settled_ = TimePoint::min();       // when the newest has its full share
  mutable std::atomic<bool> starting_{false};  // until then
};

}  // namespace micro
