#pragma once

#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro::nats {

/// The public key "U…" of a user's nkey, from its seed "SU…": base32 (RFC 4648, no padding) of a
/// prefix, 32 bytes and their CRC-16. INVALID_ARGUMENT, which does not quote it, for what is no
/// seed of a user's.
Result<std::string> PublicNkey(std::string_view seed);

}  // namespace micro::nats
