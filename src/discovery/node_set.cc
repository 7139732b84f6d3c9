#include "discovery/node_set.h"

#include <algorithm>

namespace micro::discovery {
namespace {

// One answer may have lost a packet.
constexpr int kMostMissed = 2;

bool IsGone(const NodeSet::Known& known, TimePoint now) {
  return known.withdrawn && now - known.seen > NodeSet::kKept;
}

}  // namespace

void NodeSet::See(const ServiceInfo& service, TimePoint now) {
  ServiceInfo rest = service;
  rest.nodes.clear();
  const auto shared = std::make_shared<const ServiceInfo>(std::move(rest));
  for (const Node& node : service.nodes) {
    const auto [at, created] = known_.try_emplace(node.id);
    Known& known = at->second;
    if (created) known.place = came_++;
    if (created || *known.node != node) known.node = std::make_shared<const Node>(node);
    known.service = shared;
    known.seen = now;
    known.missed = 0;
    known.withdrawn = false;
  }
}

void NodeSet::Found(std::span<const ServiceInfo> services, TimePoint now) {
  doubted_.reset();
  for (auto& [id, known] : known_) ++known.missed;
  for (const ServiceInfo& service : services) See(service, now);
  std::erase_if(known_, [now](const auto& item) { return IsGone(item.second, now); });
  for (auto& [id, known] : known_) known.withdrawn |= known.missed >= kMostMissed;
}

void NodeSet::FoundNothing(TimePoint now) {
  if (!doubted_) doubted_ = now;
  if (now - *doubted_ > kDoubted) known_.clear();
}

void NodeSet::Changed(const Change& change, TimePoint now) {
  if (change.kind != Change::Kind::kDelete) return See(change.service, now);
  for (const Node& node : change.service.nodes) {
    const auto found = known_.find(node.id);
    if (found == known_.end()) continue;
    found->second.withdrawn = true;
    found->second.seen = now;  // it was there until now
  }
}

bool NodeSet::Unreachable(const std::string& id) {
  const auto found = known_.find(id);
  if (found == known_.end()) return false;
  if (!found->second.withdrawn && found->second.missed == 0 && !doubted_) return false;
  known_.erase(found);
  return true;
}

std::vector<const NodeSet::Known*> NodeSet::Usable(TimePoint now) const {
  const bool vouched = this->vouched();
  std::vector<const Known*> usable;
  for (const auto& [id, known] : known_) {
    if (vouched ? !known.withdrawn : !IsGone(known, now)) usable.push_back(&known);
  }
  std::ranges::sort(usable, {}, [](const Known* known) { return known->place; });
  return usable;
}

bool NodeSet::vouched() const {
  return std::ranges::any_of(known_, [](const auto& item) { return !item.second.withdrawn; });
}

bool Passes(const NodeSet::Known& known, const NodeFilter& filter) {
  if (!filter.version.empty() && known.service->version != filter.version) return false;
  for (const auto& [name, value] : filter.labels) {
    const auto found = known.node->metadata.find(name);
    if (found == known.node->metadata.end() || found->second != value) return false;
  }
  const auto& endpoints = known.service->endpoints;
  return filter.endpoint.empty() ||
         std::ranges::find(endpoints, filter.endpoint, &Endpoint::name) != endpoints.end();
}

}  // namespace micro::discovery
