#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <micro/selector.h>

namespace micro::e2e {

/// Picks the first node that was not tried, and counts how picks ended.
class Counting final : public Selector {
 public:
  struct Counts final : Pick::Listener {
    void Ended(Outcome outcome) noexcept override { ++outcomes[static_cast<std::size_t>(outcome)]; }
    int of(Outcome outcome) const { return outcomes[static_cast<std::size_t>(outcome)]; }
    std::array<std::atomic<int>, 5> outcomes{};
    std::atomic<int> picks{0};
  };

  explicit Counting(std::shared_ptr<Counts> counts) : counts_(std::move(counts)) {}
  void Update(std::span<const NodePtr> nodes) override {
    const std::lock_guard lock(mutex_);
    nodes_.assign(nodes.begin(), nodes.end());
  }
  Result<Pick> Select(const PickContext& context) override {
    const std::lock_guard lock(mutex_);
    for (const NodePtr& node : nodes_) {
      if (std::ranges::find(context.tried, node->id) != context.tried.end()) continue;
      ++counts_->picks;
      return Pick(node, counts_.get());
    }
    return Unavailable("no more");
  }

 private:
  std::shared_ptr<Counts> counts_;
  std::mutex mutex_;
  std::vector<NodePtr> nodes_;
};

}  // namespace micro::e2e
