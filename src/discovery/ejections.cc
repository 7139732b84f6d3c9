#include "discovery/ejections.h"

#include <algorithm>

#include "base/backoff.h"

namespace micro::discovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstRest{100};
constexpr seconds kLongestRest{10};
constexpr seconds kFirstOutlierRest{2};
constexpr seconds kLongestOutlierRest{60};

}  // namespace

bool Ejections::Report(const std::string& id, Outcome outcome, std::size_t of, TimePoint now) {
  if (outcome == Outcome::kAbandoned) return false;
  if (outcome == Outcome::kAnswered) {
    const bool rested = Rests(id, now);
    Forget(id);
    return rested;
  }
  Node& node = nodes_[id];
  if (node.until > now) return false;  // calls from before its rest
  if (outcome == Outcome::kUnreachable) return Rest(node, kFirstRest, kLongestRest, now);
  if (++node.failures < kMostFailures || !MayRest(of, now)) return false;
  node.failures = 0;
  return Rest(node, kFirstOutlierRest, kLongestOutlierRest, now);
}

bool Ejections::Rest(Node& node, Duration first, Duration longest, TimePoint now) {
  node.until = now + Backoff(first, longest, node.rests++, chance_());
  return true;
}

bool Ejections::MayRest(std::size_t of, TimePoint now) const {
  const auto rest =
      std::ranges::count_if(nodes_, [now](const auto& item) { return item.second.until > now; });
  return 2 * (static_cast<std::size_t>(rest) + 1) <= of;
}

TimePoint Ejections::Until(const std::string& id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? TimePoint::min() : found->second.until;
}

}  // namespace micro::discovery
