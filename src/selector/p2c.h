#pragma once

#include "micro/selector.h"

#include "selector/node_table.h"

namespace micro {

/// The one with less to do of two nodes drawn at random: "the power of two choices".
class P2cSelector final : public Selector {
 public:
  explicit P2cSelector(const SelectorConfig& config = {},
                       Clock clock = std::chrono::steady_clock::now)
      : nodes_(config, clock) {}

  void Update(std::span<const NodePtr> nodes) override { nodes_.Update(nodes); }
  Result<Pick> Select(const PickContext& context) override;
  const NodeTable& nodes() const { return nodes_; }

 private:
  NodeTable nodes_;
};

/// The less busy of two untried candidates, measured by their shares; null when there is none.
const Candidate* LighterOfTwo(const Candidates& candidates, const PickContext& context);

}  // namespace micro
