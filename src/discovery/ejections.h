#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "micro/duration.h"
#include "micro/selector.h"

namespace micro::discovery {

/// Which nodes are given a rest, by how calls to them went.
///
/// A node that cannot be reached rests at once: 100 ms, twice as long whenever it fails again right
/// after, up to 10 s. One that did not answer in time, or that refused, kMostFailures times in a
/// row rests for seconds to a minute, but never more than half of all: where everything is slow, to
/// send everything to the rest would make it worse. An answer ends all of it. Times vary by a
/// quarter.
///
/// A node whose rest is over is on trial: until it answers it gets one call at a time, and the
/// first failure sends it back to rest.
///
/// Not thread-safe; the time is told.
class Ejections {
 public:
  static constexpr int kMostFailures = 5;

  /// `chance` gives numbers from 0 on and below 1.
  explicit Ejections(std::function<double()> chance) : chance_(std::move(chance)) {}

  /// Takes in how a call to one of `of` nodes ended. True when it is another node now that rest.
  bool Report(const std::string& id, Outcome outcome, std::size_t of, TimePoint now);

  /// Whether a call may go to a node now, as far as trials go; if so it is taken to.
  bool Try(const std::string& id, TimePoint now);

  bool Rests(const std::string& id, TimePoint now) const { return Until(id) > now; }
  /// What went wrong with a node that has not answered since.
  struct Trouble {
    int failures = 0;  ///< in a row, with a connection
    int rests = 0;     ///< in a row
    TimePoint until = TimePoint::min();
    Outcome last = Outcome::kAnswered;
  };
  /// Nothing where there is no trouble.
  std::optional<Trouble> TroubleOf(const std::string& id) const;
  /// When a node has rested, or had; the earliest time there is if it never did.
  TimePoint Until(const std::string& id) const;
  /// Whether there are failures that an answer makes up for.
  bool empty() const { return nodes_.empty(); }
  void Forget(const std::string& id) { nodes_.erase(id); }
  /// Forgets those that `known` does not.
  template <typename Known>
  void Keep(Known known) {
    std::erase_if(nodes_, [&](const auto& item) { return !known(item.first); });
  }

 private:
  struct Node : Trouble {
    TimePoint trial_until = TimePoint::min();  // when the next call may go to it, on trial
  };

  bool Rest(Node& node, Duration first, Duration longest, TimePoint now);
  void EndTrial(const std::string& id);
  bool MayRest(std::size_t of, TimePoint now) const;

  std::function<double()> chance_;
  std::unordered_map<std::string, Node> nodes_;  // those with failures, by id
};

}  // namespace micro::discovery
