#pragma once

#include "micro/selector.h"

#include "selector/table_selector.h"

namespace micro {

/// The one with less to do of two nodes drawn at random: "the power of two choices".
class P2cSelector final : public TableSelector {
 public:
  using TableSelector::TableSelector;

  Result<Pick> Select(const PickContext& context) override;
  std::optional<std::uint32_t> InFlight(const std::string& id) const override {
    return nodes_.InFlight(id);
  }
};

/// The less busy of two untried candidates, measured by their shares; null when there is none.
const Candidate* LighterOfTwo(const Candidates& candidates, const PickContext& context);

}  // namespace micro
