#pragma once

#include "micro/selector.h"

#include "selector/node_list.h"

namespace micro {

/// Any node, all alike.
class RandomSelector final : public Selector {
 public:
  void Update(std::vector<Node> nodes) override { nodes_.Replace(std::move(nodes)); }
  Result<Pick> Select(const PickContext& context) override;

 private:
  NodeList nodes_;
};

}  // namespace micro
