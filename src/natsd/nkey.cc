#include "natsd/nkey.h"

#include <algorithm>
#include <memory>
#include <span>

#include <openssl/evp.h>

namespace micro::natsd {
namespace {

constexpr std::uint8_t kUserPrefix = 20U << 3U;  // 'U'
constexpr std::size_t kUserKeyText = 56;
constexpr std::size_t kSignature = 64;

// Reads up to 8 bits at a time out of characters of `width` bits each.
template <std::size_t size, typename ValueOf>
std::optional<std::array<std::uint8_t, size>> Unpack(std::string_view text, unsigned width,
                                                     ValueOf value_of) {
  if (text.size() != (size * 8 + width - 1) / width) return std::nullopt;
  std::array<std::uint8_t, size> bytes{};
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const int value = value_of(c);
    if (value < 0) return std::nullopt;
    bits = bits << width | static_cast<std::uint32_t>(value);
    count += width;
    if (count < 8 || at == size) continue;
    count -= 8;
    bytes[at++] = static_cast<std::uint8_t>(bits >> count);
  }
  const bool nothing_left = (bits & ((1U << count) - 1)) == 0;
  return nothing_left ? std::optional(bytes) : std::nullopt;
}

int Base32Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-' || c == '+') return 62;
  return c == '_' || c == '/' ? 63 : -1;
}

// CRC-16/XMODEM.
std::uint16_t Crc16(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte) << 8U;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 0x8000U) != 0 ? crc << 1U ^ 0x1021U : crc << 1U;
    }
  }
  return static_cast<std::uint16_t>(crc);
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

const unsigned char* BytesOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT(*-reinterpret-cast)
}

}  // namespace

std::optional<UserKey> ParseUserKey(std::string_view text) {
  if (text.size() != kUserKeyText) return std::nullopt;
  const auto raw = Unpack<1 + 32 + 2>(text, 5, Base32Value);
  if (!raw || raw->front() != kUserPrefix) return std::nullopt;
  const auto signed_part = std::span(*raw).first<33>();
  const auto crc = static_cast<std::uint16_t>((*raw)[33] | (*raw)[34] << 8U);
  if (crc != Crc16(signed_part)) return std::nullopt;
  UserKey key{};
  std::ranges::copy(signed_part.last<32>(), key.begin());
  return key;
}

bool IsSignedBy(const UserKey& key, std::string_view message, std::string_view signature) {
  while (signature.ends_with('=')) signature.remove_suffix(1);
  const auto raw = Unpack<kSignature>(signature, 6, Base64Value);
  if (!raw) return false;
  const std::unique_ptr<EVP_PKEY, FreeKey> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  if (!pkey || !context) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw->data(), raw->size(), BytesOf(message),
                          message.size()) == 1;
}

}  // namespace micro::natsd
