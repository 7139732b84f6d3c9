#include "natsd/own_urls.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <memory>

#include "base/address.h"
#include "natsd/socket_address.h"

namespace micro::natsd {
namespace {

bool IsEverywhere(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::" || host == "[::]";
}

std::vector<std::string> InterfaceAddresses(std::uint16_t port) {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(raw, &::freeifaddrs);
  std::vector<std::string> urls;
  for (const ifaddrs* at = all.get(); at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if ((at->ifa_flags & IFF_UP) == 0) continue;
    const std::string ip = SocketAddress::Of(*at->ifa_addr).Ip();
    const bool link_local = ip.starts_with("fe80:");
    if (!ip.empty() && !link_local) urls.push_back(JoinHostPort(ip, port));
  }
  return urls;
}

}  // namespace

std::vector<std::string> OwnUrls(const Options& options, std::uint16_t port) {
  if (port == 0) return {};
  if (!options.client_advertise.empty()) {
    const auto place = ParseHostPort(options.client_advertise);
    if (!place) return {JoinHostPort(options.client_advertise, port)};
    return {JoinHostPort(place->host, place->port == 0 ? port : place->port)};
  }
  if (!IsEverywhere(options.host)) return {JoinHostPort(options.host, port)};
  auto urls = InterfaceAddresses(port);
  if (urls.empty()) urls.push_back(JoinHostPort("127.0.0.1", port));
  return urls;
}

}  // namespace micro::natsd
