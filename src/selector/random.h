#pragma once

#include "micro/selector.h"

#include "selector/node_table.h"

namespace micro {

/// Any node, each as often as its weight says.
class RandomSelector final : public Selector {
 public:
  explicit RandomSelector(const SelectorConfig& config = {},
                          Clock clock = std::chrono::steady_clock::now)
      : nodes_(config, clock) {}

  void Update(std::span<const NodePtr> nodes) override { nodes_.Update(nodes); }
  Result<Pick> Select(const PickContext& context) override;

 private:
  NodeTable nodes_;
};

}  // namespace micro
