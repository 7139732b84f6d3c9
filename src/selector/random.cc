#include "selector/random.h"

#include <random>

namespace micro {
namespace {

std::size_t Below(std::size_t limit) {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

NodeList::Nodes Untried(const NodeList::Nodes& nodes, const PickContext& context) {
  NodeList::Nodes untried;
  for (const auto& node : nodes) {
    if (!NodeList::WasTried(*node, context)) untried.push_back(node);
  }
  return untried;
}

}  // namespace

Result<Pick> RandomSelector::Select(const PickContext& context) {
  const auto nodes = nodes_.Get();
  if (context.tried.empty() && !nodes->empty()) return Pick((*nodes)[Below(nodes->size())]);
  const NodeList::Nodes untried = Untried(*nodes, context);
  const std::size_t start = untried.empty() ? 0 : Below(untried.size());
  return NodeList::FirstUntried(untried.empty() ? *nodes : untried, start, context);
}

}  // namespace micro
