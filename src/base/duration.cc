#include "micro/duration.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>

namespace micro {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// Two-letter units come before the letters they end in.
constexpr std::array<Unit, 7> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"µs", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeNumber(std::string_view& text) {
  std::size_t end = 0;
  bool point = false;
  while (end < text.size() && (IsDigit(text[end]) || (text[end] == '.' && !point))) {
    point = point || text[end] == '.';
    ++end;
  }
  const std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  return number;
}

std::optional<std::int64_t> TakeUnit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.nanoseconds;
  }
  return std::nullopt;
}

// The nanoseconds of "12.5" in a unit; nothing for no digits or more than 64 bits hold.
std::optional<std::int64_t> Scale(std::string_view number, std::int64_t unit) {
  if (number.empty() || number == ".") return std::nullopt;
  std::int64_t whole = 0;
  std::size_t at = 0;
  for (; at < number.size() && number[at] != '.'; ++at) {
    if (__builtin_mul_overflow(whole, 10, &whole)) return std::nullopt;
    if (__builtin_add_overflow(whole, number[at] - '0', &whole)) return std::nullopt;
  }
  if (__builtin_mul_overflow(whole, unit, &whole)) return std::nullopt;
  double fraction = 0;
  auto place = static_cast<double>(unit);
  for (++at; at < number.size(); ++at) fraction += (number[at] - '0') * (place /= 10);
  if (__builtin_add_overflow(whole, std::llround(fraction), &whole)) return std::nullopt;
  return whole;
}

std::optional<std::int64_t> Sum(std::string_view text) {
  std::int64_t total = 0;
  do {
    const std::string_view number = TakeNumber(text);
    const auto unit = TakeUnit(text);
    const auto part = unit ? Scale(number, *unit) : std::nullopt;
    if (!part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
  } while (!text.empty());
  return total;
}

std::string Decimal(std::int64_t value, std::int64_t unit, std::string_view name) {
  std::string text = std::to_string(value / unit);
  if (std::int64_t rest = value % unit; rest != 0) {
    text += '.';
    while (rest != 0) {
      unit /= 10;
      text += static_cast<char>('0' + rest / unit);
      rest %= unit;
    }
  }
  return text + std::string(name);
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  const std::string_view original = text;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Duration::zero();
  const auto total = Sum(text);
  if (!total) {
    return InvalidArgument("\"" + std::string(original) +
                           "\" is no duration; write it like 500ms, 5s or 1m30s");
  }
  return Duration(negative ? -*total : *total);
}

std::string FormatDuration(Duration duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  if (count == std::numeric_limits<std::int64_t>::min()) return "-2562047h47m16.854775808s";
  if (count < 0) return "-" + FormatDuration(-duration);
  if (count < 1'000) return Decimal(count, 1, "ns");
  if (count < 1'000'000) return Decimal(count, 1'000, "µs");
  if (count < 1'000'000'000) return Decimal(count, 1'000'000, "ms");
  constexpr std::int64_t kMinute = 60'000'000'000;
  const std::int64_t minutes = count / kMinute;
  std::string text;
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + Decimal(count % kMinute, 1'000'000'000, "s");
}

}  // namespace micro
