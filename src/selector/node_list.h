#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "micro/selector.h"

namespace micro {

/// The nodes a selector picks from, replaced as a whole: what a reader holds stays as it is.
class NodeList {
 public:
  using Nodes = std::vector<std::shared_ptr<const Node>>;

  void Replace(std::vector<Node> nodes) {
    auto fresh = std::make_shared<Nodes>();
    for (Node& node : nodes) fresh->push_back(std::make_shared<const Node>(std::move(node)));
    std::shared_ptr<const Nodes> old = std::move(fresh);
    const std::lock_guard lock(mutex_);
    nodes_.swap(old);  // the old ones go once the lock is given back
  }

  std::shared_ptr<const Nodes> Get() const {
    const std::lock_guard lock(mutex_);
    return nodes_;
  }

  static bool WasTried(const Node& node, const PickContext& context) {
    return std::find(context.tried.begin(), context.tried.end(), node.id) != context.tried.end();
  }

  /// The first node from `start` on, in a circle, that was not tried.
  static Result<Pick> FirstUntried(const Nodes& nodes, std::size_t start,
                                   const PickContext& context) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const auto& node = nodes[(start + i) % nodes.size()];
      if (!WasTried(*node, context)) return Pick(node);
    }
    return Unavailable(nodes.empty() ? "there are no nodes" : "every node was tried");
  }

 private:
  // GCC 12's std::atomic<std::shared_ptr> is a lock too, and one that its readers give back without
  // telling the writer what they have read: a data race.
  mutable std::mutex mutex_;
  std::shared_ptr<const Nodes> nodes_ = std::make_shared<const Nodes>();
};

}  // namespace micro
