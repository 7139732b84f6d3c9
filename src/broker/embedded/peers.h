#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "micro/duration.h"
#include "micro/registry.h"

#include "broker/embedded/secret.h"
#include "natsd/options.h"

namespace micro::embedded {

/// The servers of other programs, as the registry shows them: which there are, and which routes to
/// dial and to drop. Not thread-safe.
class Peers {
 public:
  struct Steps {
    std::vector<natsd::RouteUrl> dial;
    std::vector<natsd::RouteUrl> drop;
    std::vector<std::string> bad;  ///< addresses that are none, or not those of members
  };

  /// `self`: our own id.
  Peers(std::string self, Secret secret) : self_(std::move(self)), secret_(std::move(secret)) {}

  /// For how long a peer that has left the registry is listened to, if it is still connected: one
  /// that ends says so to the registry first, and then sends what it has left.
  static constexpr std::chrono::seconds kFarewell{30};

  /// What a look at the registry has shown. One that a look does not show is kept as long as it is
  /// connected, and over a few looks otherwise: a lost packet is no reason to drop it.
  Steps Seen(const std::vector<ServiceInfo>& found, const std::set<std::string>& connected,
             TimePoint now);
  /// The registry says that these have gone. The next look drops those that are not connected, a
  /// later one the others.
  void Gone(const std::vector<std::string>& ids, TimePoint now);

  std::size_t size() const { return peers_.size(); }
  bool Has(const std::string& id) const { return peers_.contains(id); }

 private:
  struct Peer {
    natsd::RouteUrl url;
    int missed = 0;
    std::optional<TimePoint> left{};
  };

  void Add(const Node& node, Steps& steps);
  static bool IsOver(const Peer& peer, bool connected, TimePoint now);

  const std::string self_;
  const Secret secret_;
  std::map<std::string, Peer> peers_;
};

}  // namespace micro::embedded
