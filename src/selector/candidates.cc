#include "selector/candidates.h"

#include <utility>

namespace micro {
namespace {

// The share that a node begins with, of its weight.
constexpr double kFirstShare = 0.1;

}  // namespace

Candidates::Candidates(std::vector<Candidate> all, Duration slow_start, Clock clock)
    : all_(std::move(all)), slow_start_(slow_start), clock_(clock) {
  if (all_.empty()) return;
  const auto [least, most] = std::ranges::minmax(all_, {}, &Candidate::weight);
  heaviest_ = most.weight;
  even_ = least.weight == most.weight;
  for (const Candidate& one : all_) settled_ = std::max(settled_, one.member->joined);
  starting_ = slow_start > Duration::zero() && settled_ != TimePoint::min();
  if (starting_) settled_ += slow_start;
}

double Candidates::Ramp(const Candidate& candidate, TimePoint now) const {
  if (now >= settled_) starting_.store(false, std::memory_order_relaxed);
  const TimePoint joined = candidate.member->joined;
  if (joined == TimePoint::min() || now >= joined + slow_start_) return candidate.weight;
  const double passed =
      std::chrono::duration<double>(now - joined) / std::chrono::duration<double>(slow_start_);
  return candidate.weight * std::max(passed, kFirstShare);
}

const Candidate* Candidates::Draw(const PickContext& context, Dice& dice, Moment& moment) const {
  if (all_.empty()) return nullptr;
  const bool even = this->even();
  for (int draw = 0; draw < kDraws; ++draw) {
    const Candidate& drawn = all_[dice.Below(all_.size())];
    if (!even && dice.Fraction() * heaviest_ >= Share(drawn, moment)) continue;
    if (!WasTried(drawn, context)) return &drawn;
  }
  return FirstUntried(dice.Below(all_.size()), context);
}

const Candidate* Candidates::FirstUntried(std::size_t start, const PickContext& context) const {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const Candidate& candidate = all_[(start + i) % all_.size()];
    if (!WasTried(candidate, context)) return &candidate;
  }
  return nullptr;
}

Failure Candidates::Nothing() const {
  return Unavailable(all_.empty() ? "there are no nodes" : "every node was tried");
}

}  // namespace micro
