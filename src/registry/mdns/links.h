#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "micro/error.h"

namespace micro::mdns {

/// A network interface in one address family: where multicast is joined and sent.
struct Link {
  std::string interface{};
  unsigned index = 0;
  bool loopback = false;
  boost::asio::ip::address address{};  ///< the interface's own

  bool operator==(const Link&) const = default;
};

/// The links `names` choose, each an interface's name (its links of both families) or one of its
/// addresses (its link of that family). With no names: every interface that is up and carries
/// multicast, and the loopback interface. The latter lacks the MULTICAST flag but carries IPv4
/// multicast all the same, and is what two processes share on a machine that is offline, or whose
/// other interfaces came up between their starts.
///
/// INVALID_ARGUMENT with Phase::kConfigure, listing the interfaces there are, for a name that
/// chooses nothing.
Result<std::vector<Link>> ChooseLinks(const std::vector<std::string>& names);

/// Whether `wanted` is one of this machine's own.
bool IsOwnAddress(const boost::asio::ip::address& wanted);

/// "lo 127.0.0.1, eth0 10.0.0.1", for people.
std::string Describe(const std::vector<Link>& links);

}  // namespace micro::mdns
