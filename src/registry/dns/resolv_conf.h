#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"

#include "base/address.h"

namespace micro::dns_registry {

inline constexpr std::uint16_t kDnsPort = 53;

/// How names are looked up, as resolv.conf(5) has it. What is out of bounds counts as its bound.
struct ResolvConf {
  std::vector<HostPort> servers{};  ///< asked in this order; literal addresses
  std::vector<std::string> search{};
  int ndots = 1;  ///< names with fewer dots are tried below the search domains first
  std::chrono::seconds timeout{5};
  int attempts = 2;
};

/// Reads the text of a resolv.conf. What it does not know is passed over; without a server, the one
/// of this machine is asked.
ResolvConf ParseResolvConf(std::string_view text);

/// Reads /etc/resolv.conf.
ResolvConf SystemResolvConf();

/// "10.0.0.10", "10.0.0.10:53", "[fd00::10]:53" or "fd00::10". INVALID_ARGUMENT for anything else.
Result<HostPort> ParseNameserver(std::string_view text);

/// The names to look up for `name`, in order, each without a dot at its end. One that ends in a dot
/// is meant as it is.
std::vector<std::string> Candidates(std::string_view name, const ResolvConf& conf);

}  // namespace micro::dns_registry
