#pragma once

#include <atomic>
#include <cstdint>

#include "micro/selector.h"

#include "selector/table_selector.h"

namespace micro {

/// One node after the other, across all calls of a client. A node that weighs less than the
/// heaviest is passed over in some of the rounds.
class RoundRobinSelector final : public TableSelector {
 public:
  using TableSelector::TableSelector;

  Result<Pick> Select(const PickContext& context) override;

 private:
  std::size_t NextTurn(const Candidates& candidates);

  std::atomic<std::uint64_t> turn_{0};
};

}  // namespace micro
