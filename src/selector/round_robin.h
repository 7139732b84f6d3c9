#pragma once

#include <atomic>
#include <cstddef>

#include "micro/selector.h"

#include "selector/node_list.h"

namespace micro {

/// One node after the other, across all calls of a client.
class RoundRobinSelector final : public Selector {
 public:
  void Update(std::vector<Node> nodes) override { nodes_.Replace(std::move(nodes)); }

  Result<Pick> Select(const PickContext& context) override {
    const auto nodes = nodes_.Get();
    const std::size_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
    return NodeList::FirstUntried(*nodes, nodes->empty() ? 0 : turn % nodes->size(), context);
  }

 private:
  NodeList nodes_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace micro
