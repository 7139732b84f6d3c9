#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "micro/error.h"

#include "registry/dns/answer.h"
#include "registry/dns/exchange.h"
#include "registry/dns/resolv_conf.h"

namespace micro::dns_registry {

/// One address of a service.
struct Place {
  boost::asio::ip::address host{};
  std::uint16_t port = 0;
  std::uint16_t weight = 0;  ///< of its SRV record
};

/// What DNS has of a service, and for how many seconds.
struct Places {
  std::vector<Place> places{};
  std::uint32_t ttl = 0;
};

/// Looks services up as resolv.conf says: below search domains, on several servers, more than once.
/// Blocks; thread-safe.
///
/// Its errors are NOT_FOUND, when DNS says that there is nothing, and UNAVAILABLE, when no server
/// has said anything of use in time.
class Resolver final {
 public:
  Resolver(ResolvConf conf, Complain complain)
      : conf_(std::move(conf)), complain_(std::move(complain)) {}

  /// The addresses of a host, all with `port`; IPv6 only where there is no IPv4.
  Result<Places> FindHost(std::string_view host, std::uint16_t port,
                          const Patience& patience) const;
  /// What the SRV records of `name` say; of several priorities the first.
  Result<Places> FindServices(std::string_view name, const Patience& patience) const;

  /// "10.0.0.10:53, 10.0.0.11:53", for people.
  std::string Servers() const;

 private:
  using Find = std::function<Result<Places>(const dns::Name& name)>;

  Result<Places> Search(std::string_view name, std::string_view type, const Find& find) const;
  Result<Places> Addresses(const dns::Name& host, std::uint16_t port,
                           const Patience& patience) const;
  Result<Places> Services(const dns::Name& name, const Patience& patience) const;
  Result<std::pair<Answer, dns::Message>> Ask(dns::Name name, dns::Type type,
                                              const Patience& patience) const;
  Result<dns::Message> AskServers(const dns::Question& question, const Patience& patience) const;
  Result<dns::Message> AskServer(const HostPort& server, const dns::Question& question,
                                 const Patience& patience) const;

  const ResolvConf conf_;
  const Complain complain_;
};

}  // namespace micro::dns_registry
