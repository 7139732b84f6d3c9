#include "discovery/views.h"

#include <algorithm>

namespace micro::discovery {
namespace {

bool IsIn(const Node& node, const std::string& zone) {
  const auto found = node.metadata.find("zone");
  return found != node.metadata.end() && found->second == zone;
}

}  // namespace

std::shared_ptr<Selector> Views::Get(const NodeFilter& filter, bool any_zone) {
  const auto [at, created] = views_.try_emplace({filter, any_zone});
  View& view = at->second;
  view.used = ++uses_;
  if (!created) return view.selector;
  const std::shared_ptr<Selector> selector = make_selector_();
  selector->Update(Choose(at->first));
  view.selector = selector;
  DropOldest();
  return selector;
}

std::optional<std::uint64_t> Views::InFlight(const std::string& id) const {
  const auto main = main_->InFlight(id);
  if (!main) return std::nullopt;
  std::uint64_t sum = *main;
  for (const auto& [key, view] : views_) sum += view.selector->InFlight(id).value_or(0);
  return sum;
}

void Views::DropOldest() {
  if (views_.size() <= kMostFilters) return;
  views_.erase(
      std::ranges::min_element(views_, {}, [](const auto& item) { return item.second.used; }));
}

void Views::Update(const std::vector<const NodeSet::Known*>& nodes, const Ejections& ejections,
                   TimePoint now) {
  nodes_.clear();
  for (const auto* known : nodes) {
    nodes_.push_back({*known, ejections.Rests(known->node->id, now)});
  }
  main_->Update(Choose({{}, false}));
  for (auto& [key, view] : views_) view.selector->Update(Choose(key));
}

std::vector<NodePtr> Views::Choose(const Key& key) const {
  const auto& [filter, any_zone] = key;
  std::vector<NodePtr> all;
  std::vector<NodePtr> awake;
  std::vector<NodePtr> near;
  std::size_t in_zone = 0;
  for (const auto& [known, rests] : nodes_) {
    if (!Passes(known, filter)) continue;
    const bool is_near = !any_zone && zoned() && IsIn(*known.node, zone_);
    in_zone += is_near ? 1 : 0;
    all.push_back(known.node);
    if (rests) continue;
    awake.push_back(known.node);
    if (is_near) near.push_back(known.node);
  }
  if (!near.empty() && 2 * near.size() >= in_zone) return near;
  return awake.empty() ? all : awake;
}

}  // namespace micro::discovery
