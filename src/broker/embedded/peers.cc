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
    if (known->second.url == url) return;
    steps.drop.push_back(std::exchange(known->second.url, url));
  } else {
    if (peers_.size() == kMostPeers) return;
    peers_[node.id] = {.url = url};
  }
  steps.dial.push_back(url);
}

Peers::Steps Peers::Seen(const std::vector<ServiceInfo>& found,
                         const std::set<std::string>& connected) {
  Steps steps;
  for (auto& [id, peer] : peers_) ++peer.missed;
  for (const ServiceInfo& service : found) {
    for (const Node& node : service.nodes) Add(node, steps);
  }
  std::erase_if(peers_, [&](const auto& entry) {
    const auto& [id, peer] = entry;
    const bool gone = peer.missed > kMostMissed && !connected.contains(id);
    if (gone) steps.drop.push_back(peer.url);
    return gone;
  });
  return steps;
}

Peers::Steps Peers::Gone(const std::vector<std::string>& ids) {
  Steps steps;
  for (const std::string& id : ids) {
    const auto known = peers_.find(id);
    if (known == peers_.end()) continue;
    steps.drop.push_back(known->second.url);
    peers_.erase(known);
  }
  return steps;
}

}  // namespace micro::embedded
