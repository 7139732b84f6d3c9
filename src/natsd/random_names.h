#pragma once

#include <cstddef>
#include <string>

namespace micro::natsd {

/// A name for a server that nobody else has: "N" and 55 letters and digits, as nats-server's nkeys.
std::string NewServerId();

/// `size` letters and digits that nobody can guess.
std::string NewSecret(std::size_t size);

}  // namespace micro::natsd
