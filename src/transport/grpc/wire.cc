#include "transport/grpc/wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "runtime/timer.h"

namespace micro::grpc {
namespace {

struct Unit {
  char name;
  std::int64_t nanoseconds;
};

constexpr std::array<Unit, 6> kUnits = {{{'n', 1},
                                         {'u', 1'000},
                                         {'m', 1'000'000},
                                         {'S', 1'000'000'000},
                                         {'M', 60'000'000'000},
                                         {'H', 3'600'000'000'000}}};
constexpr std::int64_t kMostDigits = 99'999'999;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> MakeValues() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr std::array<std::int8_t, 256> kValues = MakeValues();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsPlain(char c) { return c >= ' ' && c <= '~' && c != '%'; }

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

std::string EncodeTimeout(Duration timeout) {
  const std::int64_t count = std::max<std::int64_t>(timeout.count(), 0);
  for (const Unit& unit : kUnits) {
    const std::int64_t value = count / unit.nanoseconds + (count % unit.nanoseconds != 0 ? 1 : 0);
    if (value <= kMostDigits) return std::to_string(value) + unit.name;
  }
  return std::to_string(kMostDigits) + 'H';
}

std::optional<Duration> DecodeTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text.data() + text.size() - 1;
  if (std::from_chars(text.data(), end, value).ptr != end || text.front() == '-') {
    return std::nullopt;
  }
  for (const Unit& unit : kUnits) {
    if (unit.name != text.back()) continue;
    std::int64_t count = 0;
    if (__builtin_mul_overflow(value, unit.nanoseconds, &count)) return Duration::max();
    return Duration(count);
  }
  return std::nullopt;
}

Result<TimePoint> DecodeDeadline(std::string_view text) {
  const auto timeout = DecodeTimeout(text);
  if (!timeout) return InvalidArgument("\"" + std::string(text) + "\" is no grpc-timeout");
  return runtime::Later(std::chrono::steady_clock::now(), *timeout);
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsPlain(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kHex[byte >> 4U];
    encoded += kHex[byte & 15U];
  }
  return encoded;
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
                        HexValue(text[i + 2]) >= 0;
    if (!escape) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
    i += 2;
  }
  return decoded;
}

std::string Base64Encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) text += kAlphabet[bits >> (held - 6) & 63U];
  }
  if (held > 0) text += kAlphabet[bits << (6 - held) & 63U];
  return text;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 255U);
  }
  return bytes;
}

bool IsReserved(std::string_view key) {
  switch (key.size()) {
    case 0:
      return true;
    case 2:
      return key == "te";
    case 4:
      return key == "host";
    case 7:
      if (key == "upgrade") return true;
      break;
    case 10:
      if (key == "connection" || key == "keep-alive" || key == "user-agent") return true;
      break;
    case 12:
      if (key == "content-type") return true;
      break;
    case 16:
      if (key == "proxy-connection") return true;
      break;
    case 17:
      if (key == "transfer-encoding") return true;
      break;
    default:
      break;
  }
  return key.front() == ':' || key.starts_with("grpc-");
}

bool HasToken(std::string_view list, std::string_view token) {
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view one = list.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == token) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

bool IsSendable(std::string_view key, std::string_view value) {
  return !key.empty() && std::all_of(key.begin(), key.end(), IsKeyCharacter) &&
         (IsBinary(key) ||
          std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

}  // namespace micro::grpc
