#pragma once

#include <string>
#include <string_view>

#include "micro/error.h"

#include "natsd/options.h"

namespace micro::natsd {

/// Reads "nats-route://user:password@host:port", or with scheme "nats", "tls" or none; user and
/// password are optional and percent-encoded. INVALID_ARGUMENT, without what could be a password,
/// for anything else.
Result<RouteUrl> ParseRouteUrl(std::string_view text);

/// Writes what ParseRouteUrl reads, without user and password: for people to see.
std::string ShowRouteUrl(const RouteUrl& url);

}  // namespace micro::natsd
