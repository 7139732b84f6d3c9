#include "net/advertise.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <optional>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/address.h"
#include "base/misconfigured.h"
#include "net/target.h"

namespace micro::net {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

std::optional<address> FromSockaddr(const sockaddr* from) {
  if (from == nullptr) return std::nullopt;
  if (from->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(from);
    return address_v4(ntohl(v4->sin_addr.s_addr));
  }
  if (from->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(from);
    address_v6::bytes_type bytes;
    std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
    return address_v6(bytes);
  }
  return std::nullopt;
}

std::vector<address> MachineAddresses() {
  std::vector<address> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const auto found = FromSockaddr(entry->ifa_addr);
    if (found && (entry->ifa_flags & IFF_UP) != 0) addresses.push_back(*found);
  }
  ::freeifaddrs(list);
  return addresses;
}

bool IsPrivate(const address_v4& v4) {
  const std::uint32_t bits = v4.to_uint();
  return bits >> 24U == 10 || bits >> 20U == 0xac1 || bits >> 16U == 0xc0a8 ||
         bits >> 22U == 0x191;  // the last: 100.64/10
}

// What to prefer, less is better; nothing for addresses that are never advertised.
std::optional<int> Rank(const address& candidate) {
  if (candidate.is_v4()) {
    const address_v4 v4 = candidate.to_v4();
    if (v4.is_unspecified() || v4.to_uint() >> 16U == 0xa9fe) return std::nullopt;
    if (v4.is_loopback()) return 4;
    return IsPrivate(v4) ? 0 : 2;
  }
  const address_v6 v6 = candidate.to_v6();
  if (v6.is_unspecified() || v6.is_link_local()) return std::nullopt;
  if (v6.is_loopback()) return 5;
  return (v6.to_bytes()[0] & 0xfeU) == 0xfcU ? 1 : 3;
}

std::optional<address> Best(bool with_v6) {
  std::optional<address> best;
  int best_rank = 0;
  for (const address& candidate : MachineAddresses()) {
    const auto rank = Rank(candidate);
    if (!rank || (candidate.is_v6() && !with_v6) || (best && *rank >= best_rank)) continue;
    best = candidate;
    best_rank = *rank;
  }
  return best;
}

}  // namespace

Result<std::string> AdvertisedAddress(const std::string& bound, const std::string& advertise) {
  if (!advertise.empty() && ParseTarget(advertise)) return advertise;
  const auto at = ParseHostPort(bound);
  if (!at && advertise.empty()) return bound;  // not an IP transport's
  if (!at) {
    return Misconfigured("--server_advertise: \"" + advertise + "\" is no address of " + bound);
  }
  if (!advertise.empty()) {
    const bool bare = advertise.find(':') == std::string::npos || advertise.ends_with(']');
    std::string whole = advertise + ":" + std::to_string(at->port);
    if (bare && ParseHostPort(whole)) return whole;
    return Misconfigured("--server_advertise: \"" + advertise + "\" is no host or host:port");
  }
  boost::system::error_code error;
  const address host = boost::asio::ip::make_address(at->host, error);
  if (error || !host.is_unspecified()) return bound;
  const auto best = Best(host.is_v6());
  return JoinHostPort(best ? best->to_string() : "127.0.0.1", at->port);
}

}  // namespace micro::net
