#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro {

/// A network address: a name or a literal IP without brackets, and a port.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

/// Reads "host:port", "1.2.3.4:port", "[v6]:port" and ":port" (an empty host: every interface).
/// INVALID_ARGUMENT, quoting `text`, for a missing or impossible port, for IPv6 without brackets
/// and for anything else.
Result<HostPort> ParseHostPort(std::string_view text);

/// Writes what ParseHostPort reads; a host with a colon in it is put in brackets.
std::string JoinHostPort(std::string_view host, std::uint16_t port);

}  // namespace micro
