#pragma once

#include <cstddef>
#include <limits>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "micro/selector.h"

#include "selector/candidates.h"

namespace micro {

/// What some nodes have said of their load, a moment ago, and which may be asked. Thread-safe.
///
/// Of what a node says, the calls of this client are taken off: how many those are is known at any
/// time, and what stays are the calls of others.
class ProbePool {
 public:
  static constexpr std::size_t kMost = 16;  ///< answers that are kept
  static constexpr std::size_t kLeast = 2;  ///< that are needed for a choice
  static constexpr Duration kAge = std::chrono::seconds(1);
  /// Picks by one answer, where not all nodes' answers can be kept.
  static constexpr int kMostUses = 4;
  /// However many calls there are.
  static constexpr double kMostProbesPerSecond = 10'000;
  /// How long a node is left in peace that does not know the question, or failed to answer.
  static constexpr Duration kMute = std::chrono::seconds(60);
  static constexpr Duration kFailed = std::chrono::seconds(5);

  /// The nodes from now on; what is known of the others is forgotten.
  void Update(const Candidates& candidates);

  /// The untried node that is least busy for its share, of those that have answered; nothing when
  /// too few have.
  std::optional<Candidate> Choose(const Candidates& candidates, const PickContext& context,
                                  Moment& moment);

  /// Whether a node may be asked now; it is taken to be.
  bool Begin(const Candidate& candidate, TimePoint now);
  /// What a node answered, if it is still there.
  void End(const Load* load, const Result<std::uint32_t>& told, TimePoint now);

 private:
  struct Node {
    Candidate candidate;
    TimePoint quiet_until = TimePoint::min();
    bool mute = false;
  };
  struct Probe {
    Candidate candidate;
    double others = 0;  // calls that are not this client's
    TimePoint at;
    int uses = 0;
  };

  bool MayAsk(TimePoint now);
  void Keep(const Candidate& candidate, double others, TimePoint now);
  double MeanOthers() const;

  std::mutex mutex_;
  std::unordered_map<const Load*, Node> nodes_;
  std::vector<Probe> probes_;
  double allowed_ = kMost;
  TimePoint allowed_at_ = TimePoint::min();
};

}  // namespace micro
