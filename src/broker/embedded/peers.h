#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

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
  Peers(std::string self, const Secret& secret) : self_(std::move(self)), secret_(secret) {}

  /// What a look at the registry has shown. One that a look does not show is kept as long as it is
  /// connected, and over a few looks otherwise: a lost packet is no reason to drop it.
  Steps Seen(const std::vector<ServiceInfo>& found, const std::set<std::string>& connected);
  /// The registry says that these have gone.
  Steps Gone(const std::vector<std::string>& ids);

  std::size_t size() const { return peers_.size(); }
  bool Has(const std::string& id) const { return peers_.contains(id); }

 private:
  struct Peer {
    natsd::RouteUrl url;
    int missed = 0;
  };

  void Add(const Node& node, Steps& steps);

  const std::string self_;
  const Secret secret_;
  std::map<std::string, Peer> peers_;
};

}  // namespace micro::embedded
