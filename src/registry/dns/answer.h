#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "micro/duration.h"

#include "net/dns/message.h"
#include "registry/dns/exchange.h"

namespace micro::dns_registry {

/// What an answer says of a name.
struct Answer {
  std::vector<boost::asio::ip::address> addresses{};
  std::vector<dns::Srv> services{};
  dns::Name name{};       ///< what is asked for, after all aliases that the answer has
  bool is_alias = false;  ///< name is not what was asked for
  std::uint32_t ttl = 0;  ///< the least of all records that were used; 0: there are none
};

/// What at most is read of one answer.
inline constexpr std::size_t kMostRecords = 4096;

/// Reads the records of `name`, through aliases (CNAME). Addresses nobody could connect to, and
/// services on port 0, are left out and complained of.
Answer ReadAnswer(const dns::Message& message, const dns::Name& name, const Complain& complain);

/// Addresses of `host` that came along with an answer about something else.
std::vector<boost::asio::ip::address> AddressesBeside(const dns::Message& message,
                                                      const dns::Name& host);

}  // namespace micro::dns_registry
