#include "selector/node_table.h"

#include <charconv>
#include <cmath>

namespace micro {
namespace {

// The first nodes are not found all in one moment.
constexpr std::chrono::seconds kTogether{1};

constexpr double kLeastWeight = 0.001;
constexpr double kMostWeight = 1000;

double WeightOf(const Node& node) {
  const auto found = node.metadata.find("weight");
  if (found == node.metadata.end()) return 1;
  const std::string& text = found->second;
  double weight = 1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(weight)) return 1;
  return std::clamp(weight, kLeastWeight, kMostWeight);
}

}  // namespace

std::shared_ptr<const Candidates> NodeTable::Update(std::span<const NodePtr> nodes) {
  const std::lock_guard lock(updating_);
  const auto old = Get();  // keeps its members while the new ones are put together
  const TimePoint now = clock_();
  if (old->empty()) began_ = now;
  const TimePoint joined = now - began_ < kTogether ? TimePoint::min() : now;
  std::erase_if(members_, [](const auto& known) { return known.second.expired(); });
  std::vector<Candidate> all;
  all.reserve(nodes.size());
  for (const NodePtr& node : nodes) {
    auto member = Find(node, joined);
    Load* const load = member->load.get();
    const double weight = member->weight;
    all.push_back({std::move(member), load, weight});
  }
  auto fresh = std::make_shared<const Candidates>(std::move(all), slow_start_, clock_);
  Swap(fresh);
  return fresh;
}

std::shared_ptr<const Member> NodeTable::Find(const NodePtr& node, TimePoint joined) {
  auto& known = members_[node->id];
  auto old = known.lock();
  if (old && (old->node == node || *old->node == *node)) return old;
  auto fresh = std::make_shared<const Member>(Member{
      .node = node,
      .load = old ? old->load : std::make_shared<Load>(clock_, total_),
      .weight = WeightOf(*node),
      .joined = old ? old->joined : joined,
  });
  known = fresh;
  return fresh;
}

void NodeTable::Swap(std::shared_ptr<const Candidates> fresh) {
  const std::lock_guard lock(mutex_);
  now_.swap(fresh);  // the old ones go once the lock is given back
}

std::uint32_t NodeTable::InFlight(const std::string& id) const {
  const auto candidates = Get();
  for (const Candidate& one : *candidates) {
    if (one.member->node->id == id) return one.load->in_flight();
  }
  return 0;
}

}  // namespace micro
