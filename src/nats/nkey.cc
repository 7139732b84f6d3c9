#include "nats/nkey.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace micro::nats {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::uint8_t kSeed = 18U << 3U;  // "S"
constexpr std::uint8_t kUser = 20U << 3U;  // "U"
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kSeedSize = 2 + kKeySize + 2;

std::optional<std::string> FromBase32(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 5U) | static_cast<std::uint32_t>(digit);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count));
  }
  const bool whole = count < 5 && (bits & ((1U << count) - 1U)) == 0;
  return whole ? std::optional(bytes) : std::nullopt;
}

std::string ToBase32(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 5; count -= 5) text.push_back(kDigits[(bits >> (count - 5)) & 31U]);
  }
  if (count > 0) text.push_back(kDigits[(bits << (5 - count)) & 31U]);
  return text;
}

// CRC-16/XMODEM.
std::uint16_t Checksum(std::string_view bytes) {
  std::uint16_t sum = 0;
  for (const char byte : bytes) {
    sum = static_cast<std::uint16_t>(sum ^ (static_cast<unsigned char>(byte) << 8U));
    for (int bit = 0; bit < 8; ++bit) {
      const bool high = (sum & 0x8000U) != 0;
      sum = static_cast<std::uint16_t>((sum << 1U) ^ (high ? 0x1021U : 0U));
    }
  }
  return sum;
}

std::optional<std::string> PublicKey(std::string_view private_key) {
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(private_key.data()),
      private_key.size()));
  std::array<unsigned char, kKeySize> bytes{};
  std::size_t size = bytes.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size) != 1) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes.data()), size);
}

// The 32 bytes of a user's seed; nothing for what is none.
std::optional<std::string> Unpack(const std::string& bytes) {
  if (bytes.size() != kSeedSize) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  const unsigned kind = ((first & 7U) << 5U) | ((second & 0xf8U) >> 3U);
  if ((first & 0xf8U) != kSeed || kind != kUser) return std::nullopt;
  const std::string_view checked = std::string_view(bytes).substr(0, kSeedSize - 2);
  const auto low = static_cast<unsigned char>(bytes[kSeedSize - 2]);
  const auto high = static_cast<unsigned char>(bytes[kSeedSize - 1]);
  if (Checksum(checked) != (low | high << 8U)) return std::nullopt;
  return bytes.substr(2, kKeySize);
}

}  // namespace

Result<std::string> PublicNkey(std::string_view seed) {
  auto bytes = FromBase32(seed);
  std::optional<std::string> key;
  if (bytes) key = Unpack(*bytes);
  std::optional<std::string> known;
  if (key) known = PublicKey(*key);
  if (bytes) OPENSSL_cleanse(bytes->data(), bytes->size());
  if (key) OPENSSL_cleanse(key->data(), key->size());
  if (!known) return InvalidArgument("this is no seed of a user's nkey, which begins with SU");
  std::string packed = static_cast<char>(kUser) + *known;
  const std::uint16_t sum = Checksum(packed);
  packed.push_back(static_cast<char>(sum & 0xffU));
  packed.push_back(static_cast<char>(sum >> 8U));
  return ToBase32(packed);
}

}  // namespace micro::nats
