#include "selector/round_robin.h"

#include <cmath>

namespace micro {
namespace {

// Turns that may be passed over before one is taken all the same.
constexpr int kMostPassed = 1000;

// Whether a node with `share` of the heaviest's calls has its turn in `round`: in that share of the
// rounds, evenly spread. Nodes begin apart, lest all the light ones share a round.
bool HasTurn(double share, std::uint64_t round, std::size_t index) {
  constexpr double kApart = 0.6180339887498949;
  const double at = static_cast<double>(round) + kApart * static_cast<double>(index % 1024);
  return std::floor(share * (at + 1)) != std::floor(share * at);
}

}  // namespace

Result<Pick> RoundRobinSelector::Select(const PickContext& context) {
  const auto candidates = nodes_.Get();
  if (candidates->empty()) return candidates->Nothing();
  const Candidate* const next = candidates->FirstUntried(NextTurn(*candidates), context);
  if (next == nullptr) return candidates->Nothing();
  return Pick(next->member->node);
}

std::size_t RoundRobinSelector::NextTurn(const Candidates& candidates) {
  const std::size_t size = candidates.size();
  if (candidates.even()) return turn_.fetch_add(1, std::memory_order_relaxed) % size;
  Moment moment = candidates.now();
  std::uint64_t turn = 0;
  for (int passed = 0; passed < kMostPassed; ++passed) {
    turn = turn_.fetch_add(1, std::memory_order_relaxed);
    const double share = candidates.Share(candidates[turn % size], moment) / candidates.heaviest();
    if (HasTurn(share, turn / size, turn % size)) break;
  }
  return turn % size;
}

}  // namespace micro
