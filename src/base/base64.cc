#include "base/base64.h"

#include <array>
#include <cstdint>

namespace micro {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::uint32_t Byte(char c) { return static_cast<unsigned char>(c); }

char* PutGroup(char* to, std::uint32_t bits) {
  *to++ = kDigits[bits >> 18U];
  *to++ = kDigits[(bits >> 12U) & 63U];
  *to++ = kDigits[(bits >> 6U) & 63U];
  *to++ = kDigits[bits & 63U];
  return to;
}

void PutLast(char* to, std::string_view rest) {
  const std::uint32_t bits = Byte(rest[0]) << 16U | (rest.size() > 1 ? Byte(rest[1]) << 8U : 0);
  PutGroup(to, bits);
  to[3] = '=';
  if (rest.size() == 1) to[2] = '=';
}

std::uint32_t Value(char c) { return kValues[static_cast<unsigned char>(c)]; }

// Decodes whole groups up to the first that is none; says how many characters it took.
std::size_t TakeGroups(std::string_view text, std::string& bytes) {
  const std::size_t groups = text.size() / 4;
  const std::size_t before = bytes.size();
  bytes.resize(before + groups * 3);
  char* to = bytes.data() + before;
  std::size_t done = 0;
  for (; done < groups; ++done) {
    const char* from = text.data() + done * 4;
    const std::uint32_t a = Value(from[0]);
    const std::uint32_t b = Value(from[1]);
    const std::uint32_t c = Value(from[2]);
    const std::uint32_t d = Value(from[3]);
    if (((a | b | c | d) & 0x80U) != 0) break;
    const std::uint32_t bits = a << 18U | b << 12U | c << 6U | d;
    *to++ = static_cast<char>(bits >> 16U);
    *to++ = static_cast<char>(bits >> 8U);
    *to++ = static_cast<char>(bits);
  }
  bytes.resize(before + done * 3);
  return done * 4;
}

// The last group, which is padded.
bool TakeLast(std::string_view group, std::string& bytes) {
  if (group.size() != 4 || group[3] != '=') return false;
  const std::uint32_t a = Value(group[0]);
  const std::uint32_t b = Value(group[1]);
  if (((a | b) & 0x80U) != 0) return false;
  bytes.push_back(static_cast<char>(a << 2U | b >> 4U));
  if (group[2] == '=') return true;
  const std::uint32_t c = Value(group[2]);
  if (c == kNone) return false;
  bytes.push_back(static_cast<char>(b << 4U | c >> 2U));
  return true;
}

bool Take(std::string_view text, std::string& bytes) {
  const std::string_view rest = text.substr(TakeGroups(text, bytes));
  return rest.empty() || TakeLast(rest, bytes);
}

}  // namespace

void AppendBase64(std::string_view bytes, std::string& text) {
  const std::size_t before = text.size();
  text.resize(before + (bytes.size() + 2) / 3 * 4);
  char* to = text.data() + before;
  for (; bytes.size() >= 3; bytes.remove_prefix(3)) {
    to = PutGroup(to, Byte(bytes[0]) << 16U | Byte(bytes[1]) << 8U | Byte(bytes[2]));
  }
  if (!bytes.empty()) PutLast(to, bytes);
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::string bytes;
  if (Take(text, bytes)) return bytes;
  if (text.find_first_of("\r\n") == std::string_view::npos) return std::nullopt;
  std::string joined;
  for (const char c : text) {
    if (c != '\r' && c != '\n') joined.push_back(c);
  }
  bytes.clear();
  return Take(joined, bytes) ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace micro
