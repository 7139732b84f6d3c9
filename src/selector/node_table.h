#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>

#include "micro/selector.h"

#include "selector/candidates.h"

namespace micro {

/// What a selector knows of its nodes, replaced as a whole and read by many. Thread-safe.
class NodeTable {
 public:
  NodeTable(const SelectorConfig& config, Clock clock, std::shared_ptr<TotalLoad> total = {})
      : slow_start_(config.slow_start),
        clock_(clock),
        total_(std::move(total)),
        now_(std::make_shared<const Candidates>(std::vector<Candidate>(), slow_start_, clock)) {}

  /// Nodes that stay keep their load, and so do those that come back while calls to them last.
  std::shared_ptr<const Candidates> Update(std::span<const NodePtr> nodes);
  std::shared_ptr<const Candidates> Get() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  /// Calls under way at a node.
  std::uint32_t InFlight(const std::string& id) const;

  /// A pick that is counted at its node as long as it lasts.
  static Pick Take(const Candidate& candidate) {
    candidate.load->Begin();
    return Pick(NodePtr(candidate.member, candidate.member->node.get()), candidate.load);
  }

 private:
  std::shared_ptr<const Member> Find(const NodePtr& node, TimePoint joined);
  void Swap(std::shared_ptr<const Candidates> fresh);

  const Duration slow_start_;
  const Clock clock_;
  const std::shared_ptr<TotalLoad> total_;
  std::mutex updating_;
  std::unordered_map<std::string, std::weak_ptr<const Member>> members_;  // by id
  TimePoint began_;                                                       // with its first nodes
  // GCC 12's std::atomic<std::shared_ptr> is a lock too, and one that its readers give back without
  // telling the writer what they have read: a data race.
  mutable std::mutex mutex_;
  std::shared_ptr<const Candidates> now_;
};

}  // namespace micro
