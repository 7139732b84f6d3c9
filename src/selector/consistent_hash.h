#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "micro/selector.h"

#include "selector/node_table.h"

namespace micro {

/// The same node for the same key (CallOptions::key), in every client that knows the same nodes.
///
/// Nodes stand on a ring at places made from their ids, each at as many as its weight says; a key
/// belongs to the next one. When nodes come or go, only the keys next to them move. No node gets
/// more than kMostOverload times its part of this client's calls: the next on the ring has to help
/// ("Consistent Hashing with Bounded Loads", Mirrokni, Thorup, Zadimoghaddam, 2016). Calls without
/// a key go to the less busy of two.
class ConsistentHashSelector final : public Selector {
 public:
  static constexpr double kMostOverload = 1.25;
  /// Calls under way that no node is too busy for.
  static constexpr std::uint32_t kAlwaysRoom = 8;

  explicit ConsistentHashSelector(const SelectorConfig& config = {},
                                  Clock clock = std::chrono::steady_clock::now)
      : nodes_(config, clock, total_) {}

  void Update(std::span<const NodePtr> nodes) override;
  Result<Pick> Select(const PickContext& context) override;
  std::optional<std::uint32_t> InFlight(const std::string& id) const override {
    return nodes_.InFlight(id);
  }
  const NodeTable& nodes() const { return nodes_; }

 private:
  struct Ring;

  std::shared_ptr<const Ring> Get() const;

  const std::shared_ptr<TotalLoad> total_ = std::make_shared<TotalLoad>(0);
  NodeTable nodes_;
  std::mutex updating_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Ring> ring_;
};

}  // namespace micro
