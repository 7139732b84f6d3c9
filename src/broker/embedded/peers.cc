#include "broker/embedded/peers.h"

#include <utility>

#include "base/address.h"

namespace micro::embedded {
namespace {

// Looks that may miss a peer that is not connected.
constexpr int kMostMissed = 3;
// Every one of them is a connection; a registry that has more is not to be believed.
constexpr std::size_t kMostPeers = 1000;

}  // namespace

void Peers::Add(const Node& node, Steps& steps) {
  if (node.id == self_) return;
  const auto at = ParseHostPort(node.address);
  if (!at || at->host.empty() || at->port == 0 || !secret_.IsProved(node)) {
    steps.bad.push_back(node.address);
    return;
  }
  const natsd::RouteUrl url{
      .host = at->host, .port = at->port, .user = secret_.user(), .password = secret_.password()};
  const auto known = peers_.find(node.id);
  if (known != peers_.end()) {
    known->second.missed = 0;
    known->second.left.reset();
    if (known->second.url == url) return;
    steps.drop.push_back(std::exchange(known->second.url, url));
  } else {
    if (peers_.size() == kMostPeers) return;
    peers_[node.id] = {.url = url};
  }
  steps.dial.push_back(url);
}

bool Peers::IsOver(const Peer& peer, bool connected, TimePoint now) {
  if (!connected) return peer.left || peer.missed > kMostMissed;
  return peer.left && now - *peer.left >= kFarewell;
}

Peers::Steps Peers::Seen(const std::vector<ServiceInfo>& found,
                         const std::set<std::string>& connected, TimePoint now) {
  Steps steps;
  for (auto& [id, peer] : peers_) ++peer.missed;
  for (const ServiceInfo& service : found) {
    for (const Node& node : service.nodes) Add(node, steps);
  }
  std::erase_if(peers_, [&](const auto& entry) {
    const bool over = IsOver(entry.second, connected.contains(entry.first), now);
    if (over) steps.drop.push_back(entry.second.url);
    return over;
  });
  return steps;
}

void Peers::Gone(const std::vector<std::string>& ids, TimePoint now) {
  for (const std::string& id : ids) {
    const auto known = peers_.find(id);
    if (known != peers_.end() && !known->second.left) known->second.left = now;
  }
}

}  // namespace micro::embedded
