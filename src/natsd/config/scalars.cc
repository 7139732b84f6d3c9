#include "natsd/config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace micro::natsd::config {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

// What a suffix multiplies with; nothing if it is none.
std::optional<std::int64_t> Factor(const std::string& suffix) {
  if (suffix.empty()) return 1;
  const auto power = std::string_view("kmgtpe").find(suffix.front());
  const std::string_view rest = std::string_view(suffix).substr(1);
  if (power == std::string_view::npos ||
      (!rest.empty() && rest != "b" && rest != "i" && rest != "ib")) {
    return std::nullopt;
  }
  std::int64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= rest.empty() ? 1000 : 1024;
  return factor;
}

std::optional<std::int64_t> Integer(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc()) return std::nullopt;
  const auto factor = Factor(Lower({read.ptr, static_cast<std::size_t>(end - read.ptr)}));
  std::int64_t product = 0;
  if (!factor || __builtin_mul_overflow(number, *factor, &product)) return std::nullopt;
  return product;
}

std::optional<Duration> Seconds(const std::string& text) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
  constexpr double kMost = 9e9;  // of what 64 bits of nanoseconds hold
  if (read.ec != std::errc() || read.ptr != end || !(std::abs(seconds) < kMost))
    return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Failure NotThat(const Value& value, std::string_view wanted) {
  const std::string* text = value.text();
  const std::string found = text != nullptr           ? Quoted(*text)
                            : value.list() != nullptr ? "a list"
                                                      : "a map";
  return Complaint(value.place, "wanted " + std::string(wanted) + ", found " + found);
}

}  // namespace

Result<std::string> ReadText(const Value& value) {
  if (value.text() == nullptr) return NotThat(value, "a text");
  return *value.text();
}

Result<bool> ReadBool(const Value& value) {
  const std::string word = Lower(value.text() == nullptr ? std::string_view() : *value.text());
  if (word == "true" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "no" || word == "off") return false;
  return NotThat(value, "true or false");
}

Result<std::int64_t> ReadInteger(const Value& value) {
  const auto number = value.text() == nullptr ? std::nullopt : Integer(*value.text());
  if (!number) return NotThat(value, "a number");
  return *number;
}

Result<std::int64_t> ReadWithin(const Value& value, std::int64_t least, std::int64_t most) {
  auto number = ReadInteger(value);
  if (!number || (*number >= least && *number <= most)) return number;
  return NotThat(value, "a number from " + std::to_string(least) + " to " + std::to_string(most));
}

Result<std::size_t> ReadLimit(const Value& value, std::size_t none) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40U;
  auto number = ReadWithin(value, -1, kMost);
  if (!number) return Failure(std::move(number.error()));
  return *number <= 0 ? none : static_cast<std::size_t>(*number);
}

Result<Duration> ReadTime(const Value& value) {
  if (value.text() == nullptr) return NotThat(value, "a time such as \"2s\"");
  auto time = Seconds(*value.text());
  if (!time) {
    const auto parsed = ParseDuration(*value.text());
    if (parsed) time = *parsed;
  }
  if (!time || *time < Duration::zero()) return NotThat(value, "a time such as \"2s\"");
  return *time;
}

Result<std::vector<std::string>> ReadTexts(const Value& value) {
  if (value.text() != nullptr) return std::vector{*value.text()};
  if (value.list() == nullptr) return NotThat(value, "a text, or a list of them");
  std::vector<std::string> texts;
  for (const Value& item : *value.list()) {
    auto text = ReadText(item);
    if (!text) return Failure(std::move(text.error()));
    texts.push_back(*std::move(text));
  }
  return texts;
}

Result<Listen> ReadListen(const Value& value) {
  constexpr std::string_view kWanted = "host:port, or a port";
  if (value.text() == nullptr) return NotThat(value, kWanted);
  const std::string& text = *value.text();
  const auto colon = text.rfind(':');
  const auto port = Integer(colon == std::string::npos ? text : text.substr(colon + 1));
  std::string host = colon == std::string::npos ? std::string() : text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!port || *port < -1 || *port > 65535) return NotThat(value, kWanted);
  return Listen{.host = std::move(host), .port = static_cast<int>(*port)};
}

}  // namespace micro::natsd::config
