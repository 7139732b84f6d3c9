#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro::dns_registry {

/// What is looked up for a service.
struct Target {
  std::string name{};
  std::optional<std::uint16_t> port{};  ///< of all its addresses; none: SRV records say it

  bool operator==(const Target&) const = default;
};

/// Reads "host:port", "host", of which the SRV records of `_grpc._tcp.host` are looked up, and
/// "_any._tcp.host". INVALID_ARGUMENT for anything else.
Result<Target> ParseTarget(std::string_view text);

/// The targets of services that are called otherwise than in DNS.
using Targets = std::map<std::string, Target, std::less<>>;

}  // namespace micro::dns_registry
