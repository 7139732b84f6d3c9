#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace micro::natsd {

/// The Ed25519 key of a user's nkey.
using UserKey = std::array<std::uint8_t, 32>;

/// Reads a user's public nkey: "U…", 56 characters of base32 (RFC 4648, no padding) for a prefix
/// byte, the key and its CRC-16. Nothing for anything else.
std::optional<UserKey> ParseUserKey(std::string_view text);

/// Whether `signature`, in base64 of either alphabet, is that of `message` by `key`.
bool IsSignedBy(const UserKey& key, std::string_view message, std::string_view signature);

}  // namespace micro::natsd
