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
// A call on trial that lasts longer than that, such as a stream, keeps no others waiting.
constexpr seconds kLongestTrial{1};

}  // namespace

bool Ejections::Report(const std::string& id, Outcome outcome, std::size_t of, TimePoint now) {
  if (outcome == Outcome::kAbandoned) return EndTrial(id), false;
  if (outcome == Outcome::kAnswered) {
    const bool rested = Rests(id, now);
    Forget(id);
    return rested;
  }
  Node& node = nodes_[id];
  node.last = outcome;
  if (node.until > now) return false;  // calls from before its rest
  if (outcome == Outcome::kUnreachable) return Rest(node, kFirstRest, kLongestRest, now);
  node.trial_until = TimePoint::min();
  const bool on_trial = node.rests > 0;
  if ((++node.failures < kMostFailures && !on_trial) || !MayRest(of, now)) return false;
  node.failures = 0;
  return Rest(node, kFirstOutlierRest, kLongestOutlierRest, now);
}

void Ejections::EndTrial(const std::string& id) {
  const auto found = nodes_.find(id);
  if (found != nodes_.end()) found->second.trial_until = TimePoint::min();
}

bool Ejections::Try(const std::string& id, TimePoint now) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return true;
  Node& node = found->second;
  if (node.rests == 0 || now < node.until) return true;
  if (now < node.trial_until) return false;
  node.trial_until = now + kLongestTrial;
  return true;
}

bool Ejections::Rest(Node& node, Duration first, Duration longest, TimePoint now) {
  node.trial_until = TimePoint::min();
  node.until = now + Backoff(first, longest, node.rests++, chance_());
  return true;
}

bool Ejections::MayRest(std::size_t of, TimePoint now) const {
  const auto rest =
      std::ranges::count_if(nodes_, [now](const auto& item) { return item.second.until > now; });
  return 2 * (static_cast<std::size_t>(rest) + 1) <= of;
}

std::optional<Ejections::Trouble> Ejections::TroubleOf(const std::string& id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? std::nullopt : std::optional<Trouble>(found->second);
}

TimePoint Ejections::Until(const std::string& id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? TimePoint::min() : found->second.until;
}

}  // namespace micro::discovery
