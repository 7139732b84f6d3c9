#pragma once

#include <functional>
#include <string>

#include "micro/duration.h"
#include "micro/error.h"

#include "base/address.h"
#include "net/dns/message.h"

namespace micro::dns_registry {

/// Told what is wrong with a datagram, or with a record.
using Complain = std::function<void(const std::string& fault)>;

/// How long one may wait, and whether one still should.
struct Patience {
  TimePoint until{};
  std::function<bool()> stopped{};  ///< looked at several times a second; empty: never
};

/// Asks one nameserver, over UDP, and again over TCP when the answer does not fit in a datagram.
/// What is no answer to this question is complained of, and waited on. With `edns` the server is
/// told that datagrams may be larger than 512 octets, which old ones refuse (FORMERR). UNAVAILABLE
/// when there is no answer in time, or no connection.
Result<dns::Message> Exchange(const HostPort& server, const dns::Question& question, bool edns,
                              const Patience& patience, const Complain& complain);

}  // namespace micro::dns_registry
