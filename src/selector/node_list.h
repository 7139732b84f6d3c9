#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "micro/selector.h"

namespace micro {

/// The nodes a selector picks from, replaced as a whole: readers never wait for a writer.
class NodeList {
 public:
  using Nodes = std::vector<std::shared_ptr<const Node>>;

  void Replace(std::vector<Node> nodes) {
    auto fresh = std::make_shared<Nodes>();
    for (Node& node : nodes) fresh->push_back(std::make_shared<const Node>(std::move(node)));
    nodes_.store(std::move(fresh), std::memory_order_release);
  }

  std::shared_ptr<const Nodes> Get() const { return nodes_.load(std::memory_order_acquire); }

  /// The first node from `start` on, in a circle, that was not tried.
  static Result<Pick> FirstUntried(const Nodes& nodes, std::size_t start,
                                   const PickContext& context) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const auto& node = nodes[(start + i) % nodes.size()];
      if (std::find(context.tried.begin(), context.tried.end(), node->id) == context.tried.end()) {
        return Pick(node);
      }
    }
    return Unavailable(nodes.empty() ? "there are no nodes" : "every node was tried");
  }

 private:
  std::atomic<std::shared_ptr<const Nodes>> nodes_ = std::make_shared<const Nodes>();
};

}  // namespace micro
