#include "natsd/password.h"

#include <crypt.h>

#include <algorithm>
#include <memory>

#include <openssl/crypto.h>

#include "base/misconfigured.h"

namespace micro::natsd {
namespace {

constexpr std::size_t kHashLength = 60;
constexpr std::size_t kBcryptReads = 72;
// 2^16 rounds take some seconds; each step more doubles that.
constexpr std::string_view kHighestCost = "16";
constexpr std::string_view kLowestCost = "04";

bool SameBytes(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

// What a phrase of C's library ends at would not count, and so matches nothing.
bool HashMatches(const std::string& hash, std::string_view given) {
  if (given.find('\0') != std::string_view::npos) return false;
  const std::string phrase(given.substr(0, kBcryptReads));
  const auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(phrase.c_str(), hash.c_str(), data.get());
  return made != nullptr && SameBytes(made, hash);
}

bool IsHashCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '.' && c <= '9');
}

}  // namespace

bool IsBcrypt(std::string_view secret) {
  return secret.size() >= 4 && secret.starts_with("$2") && secret[3] == '$' &&
         std::string_view("abxy").find(secret[2]) != std::string_view::npos;
}

Status CheckSecret(const std::string& secret, std::string_view whose) {
  if (!IsBcrypt(secret)) return Ok();
  const std::string_view cost = std::string_view(secret).substr(4, 2);
  if (secret.size() != kHashLength || secret[6] != '$' ||
      !std::all_of(secret.begin() + 7, secret.end(), IsHashCharacter)) {
    return Misconfigured(std::string(whose) +
                         " begins as a bcrypt hash does and is none: it has 60 characters, "
                         "\"$2a$11$\" and 53 more");
  }
  const bool digits = cost.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || cost < kLowestCost || cost > kHighestCost) {
    return Misconfigured(std::string(whose) + " is a bcrypt hash of cost " + std::string(cost) +
                         "; from 04 to 16 are usable");
  }
  return Ok();
}

bool SecretMatches(const std::string& secret, std::string_view given) {
  return IsBcrypt(secret) ? HashMatches(secret, given) : SameBytes(secret, given);
}

}  // namespace micro::natsd
