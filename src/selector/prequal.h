#pragma once

#include <memory>
#include <mutex>

#include "micro/selector.h"

#include "selector/probe_pool.h"
#include "selector/table_selector.h"

namespace micro {

/// The node that serves the fewest calls, whoever sends them: nodes are asked beside the calls, and
/// the answers of the last second are chosen from ("Load is not what you should balance:
/// Introducing Prequal", Wydrowski et al., NSDI 2024, by calls in flight alone). As long as there
/// are too few answers, and without anybody to ask, it is least_loaded.
class PrequalSelector final : public TableSelector {
 public:
  /// Nodes that are asked for each call, as far as they may be.
  static constexpr int kProbes = 2;

  explicit PrequalSelector(const SelectorConfig& config = {},
                           Clock clock = std::chrono::steady_clock::now)
      : TableSelector(config, clock), clock_(clock), prober_(config.prober) {}

  void Update(std::span<const NodePtr> nodes) override;
  Result<Pick> Select(const PickContext& context) override;
  std::optional<std::uint32_t> InFlight(const std::string& id) const override {
    return nodes_.InFlight(id);
  }

 private:
  void Ask(const Candidates& candidates, TimePoint now);

  const Clock clock_;
  const std::shared_ptr<LoadProber> prober_;
  std::mutex updating_;
  const std::shared_ptr<ProbePool> pool_ = std::make_shared<ProbePool>();  // answers come later
};

}  // namespace micro
