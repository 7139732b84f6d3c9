#pragma once

#include <atomic>
#include <cstdint>

#include "micro/selector.h"

#include "selector/node_table.h"

namespace micro {

/// One node after the other, across all calls of a client. A node that weighs less than the
/// heaviest is passed over in some of the rounds.
class RoundRobinSelector final : public Selector {
 public:
  explicit RoundRobinSelector(const SelectorConfig& config = {},
                              Clock clock = std::chrono::steady_clock::now)
      : nodes_(config, clock) {}

  void Update(std::span<const NodePtr> nodes) override { nodes_.Update(nodes); }
  Result<Pick> Select(const PickContext& context) override;

 private:
  std::size_t NextTurn(const Candidates& candidates);

  NodeTable nodes_;
  std::atomic<std::uint64_t> turn_{0};
};

}  // namespace micro
