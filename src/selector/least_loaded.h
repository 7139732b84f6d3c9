#pragma once

#include "micro/selector.h"

#include "selector/node_table.h"

namespace micro {

/// The node with the fewest calls of this client under way for its weight; of several, any. Beyond
/// kMostScanned nodes the better of two: looking at all would cost more than it brings.
class LeastLoadedSelector final : public Selector {
 public:
  static constexpr std::size_t kMostScanned = 64;

  explicit LeastLoadedSelector(const SelectorConfig& config = {},
                               Clock clock = std::chrono::steady_clock::now)
      : nodes_(config, clock) {}

  void Update(std::span<const NodePtr> nodes) override { nodes_.Update(nodes); }
  Result<Pick> Select(const PickContext& context) override;
  const NodeTable& nodes() const { return nodes_; }

 private:
  NodeTable nodes_;
};

}  // namespace micro
