#pragma once

#include "micro/selector.h"

#include "selector/table_selector.h"

namespace micro {

/// Any node, each as often as its weight says.
class RandomSelector final : public TableSelector {
 public:
  using TableSelector::TableSelector;

  Result<Pick> Select(const PickContext& context) override;
};

}  // namespace micro
