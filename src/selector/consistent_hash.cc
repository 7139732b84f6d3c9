#include "selector/consistent_hash.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "selector/p2c.h"

namespace micro {
namespace {

// Places of a node with weight 1, which keep the nodes' parts of the ring within some tenths of
// each other; fewer when there are so many nodes that the ring would not fit a cache.
constexpr double kPlaces = 160;
constexpr double kMostPlaces = 200'000;

struct Place {
  std::uint64_t hash;
  std::uint32_t index;  // of the candidate
};

std::uint64_t Number(const Node& node, int place) {
  return RoutingKey(RoutingKey(node.id).hash() + static_cast<std::uint64_t>(place)).hash();
}

std::vector<Place> PlacesOf(const Candidates& candidates, double places_each) {
  std::vector<Place> places;
  for (std::uint32_t index = 0; index < candidates.size(); ++index) {
    const Candidate& one = candidates[index];
    const int count = std::max(1, static_cast<int>(std::lround(places_each * one.weight)));
    for (int i = 0; i < count; ++i) places.push_back({Number(*one.member->node, i), index});
  }
  std::ranges::sort(places, {}, &Place::hash);
  return places;
}

}  // namespace

struct ConsistentHashSelector::Ring {
  explicit Ring(std::shared_ptr<const Candidates> from) : candidates(std::move(from)) {
    for (const Candidate& one : *candidates) weight += one.weight;
    places = PlacesOf(*candidates, std::min(kPlaces, kMostPlaces / std::max(weight, 1.0)));
  }

  bool HasRoom(const Candidate& candidate, std::uint64_t total) const {
    const std::uint32_t calls = candidate.load->in_flight();
    return calls < kAlwaysRoom ||
           calls + 1 <= kMostOverload * static_cast<double>(total + 1) * candidate.weight / weight;
  }

  // The first untried node from the key's place on that has room, or else the first.
  const Candidate* Find(const PickContext& context, std::uint64_t total) const {
    const auto start = std::ranges::lower_bound(places, context.key.hash(), {}, &Place::hash);
    const auto offset = static_cast<std::size_t>(start - places.begin());
    const Candidate* first = nullptr;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Candidate& one = (*candidates)[places[(offset + i) % places.size()].index];
      if (Candidates::WasTried(one, context)) continue;
      if (first == nullptr) first = &one;
      if (HasRoom(one, total)) return &one;
    }
    return first;
  }

  std::shared_ptr<const Candidates> candidates;
  std::vector<Place> places;
  double weight = 0;
};

std::shared_ptr<const ConsistentHashSelector::Ring> ConsistentHashSelector::Get() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

void ConsistentHashSelector::Update(std::span<const NodePtr> nodes) {
  const std::lock_guard updating(updating_);
  auto ring = std::make_shared<const Ring>(nodes_.Update(nodes));
  const std::lock_guard lock(mutex_);
  ring_.swap(ring);
}

Result<Pick> ConsistentHashSelector::Select(const PickContext& context) {
  const auto ring = Get();
  if (!ring) return Candidates().Nothing();
  const Candidate* const found = context.key.given()
                                     ? ring->Find(context, total_->load(std::memory_order_relaxed))
                                     : LighterOfTwo(*ring->candidates, context);
  if (found == nullptr) return ring->candidates->Nothing();
  return NodeTable::Take(*found);
}

}  // namespace micro
