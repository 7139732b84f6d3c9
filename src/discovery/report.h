#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "micro/duration.h"

namespace micro::discovery {

/// What is known of a node, and why, for people to read.
struct NodeReport {
  std::string id;
  std::string address;
  std::string version;
  std::string zone;
  Duration seen{};         ///< since the registry named it last
  bool withdrawn = false;  ///< the registry does not vouch for it; used if there is no other
  bool on_trial = false;   ///< has rested and not answered since
  Duration rests{};        ///< for how long yet; zero: it does not
  std::string why;         ///< it rests, or is on trial, or has failed of late
  std::optional<std::uint64_t> in_flight;  ///< this client's calls, where they are counted
};

struct ServiceReport {
  std::string name;
  std::string source;                 ///< "watch", "lookup" or "addresses"
  bool vouched = false;               ///< the registry names nodes of it
  std::optional<Duration> looked_up;  ///< since the last lookup
  std::string trouble;                ///< that lookup's error, if it had one
  std::vector<NodeReport> nodes;
};

/// Plain text, a line for each node. What comes from others is printable, and not long.
std::string ToText(std::span<const ServiceReport> services);
/// The same as JSON: an array of services. Durations are in seconds.
std::string ToJson(std::span<const ServiceReport> services);

}  // namespace micro::discovery
