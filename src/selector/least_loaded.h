#pragma once

#include "micro/selector.h"

#include "selector/table_selector.h"

namespace micro {

/// The node with the fewest calls of this client under way for its weight; of several, any. Beyond
/// kMostScanned nodes the better of two: looking at all would cost more than it brings.
class LeastLoadedSelector final : public TableSelector {
 public:
  static constexpr std::size_t kMostScanned = 64;

  using TableSelector::TableSelector;

  Result<Pick> Select(const PickContext& context) override;
  std::optional<std::uint32_t> InFlight(const std::string& id) const override {
    return nodes_.InFlight(id);
  }
};

/// What LeastLoadedSelector picks; null when every candidate was tried.
const Candidate* LeastLoaded(const Candidates& candidates, const PickContext& context);

}  // namespace micro
