#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "natsd/options.h"

namespace micro::natsd {

/// Where clients can connect to a server with these options, as "host:port": what it advertises, or
/// where it listens; for every interface, the addresses of all but the loopback.
std::vector<std::string> OwnUrls(const Options& options, std::uint16_t port);

}  // namespace micro::natsd
