#pragma once

#include <string>

#include "micro/error.h"

namespace micro::net {

/// The address that others reach a listener by. `advertise`, when given, is taken (with the
/// listener's port where it has none); else `bound`, where an unspecified host is replaced by an
/// address of this machine: a private IPv4 address first, then a private IPv6 one, then a public
/// one; loopback when there is nothing else, and link-local never.
Result<std::string> AdvertisedAddress(const std::string& bound, const std::string& advertise);

}  // namespace micro::net
