#pragma once

#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro::natsd {

/// Whether a configured secret says of itself that it is a bcrypt hash: "$2a$", "$2b$", "$2x$" or
/// "$2y$".
bool IsBcrypt(std::string_view secret);

/// INVALID_ARGUMENT with Phase::kConfigure for a bcrypt hash that none can match, or that would
/// take more than a few seconds. `whose` begins the sentence.
Status CheckSecret(const std::string& secret, std::string_view whose);

/// Whether `given` is the secret, or what the bcrypt hash was made of. Takes the same time wherever
/// they differ. Of what is hashed, bcrypt looks at the first 72 bytes.
bool SecretMatches(const std::string& secret, std::string_view given);

}  // namespace micro::natsd
