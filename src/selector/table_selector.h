#pragma once

#include <chrono>
#include <span>

#include "micro/selector.h"

#include "selector/node_table.h"

namespace micro {

/// What selectors have in common that pick from a table of nodes.
class TableSelector : public Selector {
 public:
  explicit TableSelector(const SelectorConfig& config = {},
                         Clock clock = std::chrono::steady_clock::now)
      : nodes_(config, clock) {}

  void Update(std::span<const NodePtr> nodes) override { nodes_.Update(nodes); }
  const NodeTable& nodes() const { return nodes_; }

 protected:
  NodeTable nodes_;
};

}  // namespace micro
