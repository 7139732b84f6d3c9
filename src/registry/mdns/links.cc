#include "registry/mdns/links.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/misconfigured.h"

namespace micro::mdns {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct Candidate {
  Link link;
  unsigned flags = 0;
};

address AddressOf(const sockaddr& raw) {
  if (raw.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &raw, sizeof in);
    return address_v4(ntohl(in.sin_addr.s_addr));
  }
  sockaddr_in6 in6{};
  std::memcpy(&in6, &raw, sizeof in6);
  address_v6::bytes_type octets;
  std::memcpy(octets.data(), &in6.sin6_addr, octets.size());
  return address_v6(octets, in6.sin6_scope_id);
}

// Every address of every interface, in the kernel's order.
std::vector<Candidate> Candidates() {
  std::vector<Candidate> candidates;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return candidates;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, freeifaddrs);
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    if (each->ifa_addr->sa_family != AF_INET && each->ifa_addr->sa_family != AF_INET6) continue;
    candidates.push_back({.link = {.interface = each->ifa_name,
                                   .index = if_nametoindex(each->ifa_name),
                                   .loopback = (each->ifa_flags & IFF_LOOPBACK) != 0,
                                   .address = AddressOf(*each->ifa_addr)},
                          .flags = each->ifa_flags});
  }
  return candidates;
}

// Linux has no route for IPv6 multicast on the loopback interface.
bool CarriesMulticast(const Candidate& candidate) {
  if ((candidate.flags & IFF_UP) == 0) return false;
  if (candidate.link.loopback) return candidate.link.address.is_v4();
  constexpr unsigned kNeeded = IFF_MULTICAST | IFF_RUNNING;
  return (candidate.flags & kNeeded) == kNeeded;
}

bool Names(std::string_view name, const Link& link) {
  if (name == link.interface) return true;
  boost::system::error_code error;
  const address wanted = boost::asio::ip::make_address(std::string(name), error);
  if (error) return false;
  if (wanted == link.address) return true;
  if (!wanted.is_v6() || !link.address.is_v6()) return false;
  return wanted.to_v6().scope_id() == 0 &&
         wanted.to_v6().to_bytes() == link.address.to_v6().to_bytes();
}

// One link an interface and family is enough: multicast goes by interface, not by address.
void Add(std::vector<Link>& links, const Link& link) {
  const bool known = std::ranges::any_of(links, [&](const Link& other) {
    return other.index == link.index && other.address.is_v4() == link.address.is_v4();
  });
  if (!known) links.push_back(link);
}

std::vector<Link> LinksOf(const std::vector<Candidate>& candidates) {
  std::vector<Link> links;
  for (const Candidate& candidate : candidates) links.push_back(candidate.link);
  return links;
}

Failure Unusable(const std::string& name, const std::vector<Candidate>& candidates) {
  std::vector<Candidate> usable = candidates;
  std::erase_if(usable, [](const Candidate& each) { return !CarriesMulticast(each); });
  const bool exists = std::ranges::any_of(
      candidates, [&](const Candidate& each) { return Names(name, each.link); });
  return Misconfigured(
      "--registry_address=" + name +
      (exists ? " carries no multicast" : " is no interface of this machine") +
      "; --registry=mdns takes the name or an address of one of: " + Describe(LinksOf(usable)));
}

}  // namespace

Result<std::vector<Link>> ChooseLinks(const std::vector<std::string>& names) {
  const std::vector<Candidate> candidates = Candidates();
  std::vector<Link> links;
  for (const Candidate& candidate : candidates) {
    if (names.empty() && CarriesMulticast(candidate)) Add(links, candidate.link);
  }
  for (const std::string& name : names) {
    bool found = false;
    for (const Candidate& candidate : candidates) {
      if (!CarriesMulticast(candidate) || !Names(name, candidate.link)) continue;
      Add(links, candidate.link);
      found = true;
    }
    if (!found) return Unusable(name, candidates);
  }
  return links;
}

bool IsOwnAddress(const address& wanted) {
  if (wanted.is_loopback()) return true;
  return std::ranges::any_of(Candidates(), [&](const Candidate& candidate) {
    return Names(wanted.to_string(), candidate.link);
  });
}

std::string Describe(const std::vector<Link>& links) {
  std::string text;
  for (const Link& link : links) {
    if (!text.empty()) text += ", ";
    text += link.interface + " " + link.address.to_string();
  }
  return text.empty() ? "none" : text;
}

}  // namespace micro::mdns
