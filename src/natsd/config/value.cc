#include "natsd/config/value.h"

#include <algorithm>

#include "base/misconfigured.h"

namespace micro::natsd::config {

namespace {

// One line, whatever was quoted in it.
std::string Printable(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return line;
}

}  // namespace

Failure Complaint(const Place& place, std::string_view sentence) {
  const std::string file = place.file ? *place.file : std::string();
  const std::string line = place.line > 0 ? ":" + std::to_string(place.line) : std::string();
  return Misconfigured(file + line + ": " + Printable(sentence));
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  return "\"" + Printable(text.substr(0, kShown)) + (text.size() > kShown ? "…\"" : "\"");
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than what was parsed.
Extent ExtentOf(const Value& value) {
  constexpr std::size_t kText = 64;
  Extent whole{.values = 1 + value.content.size() / kText};
  for (const Value& item : value.items) {
    const Extent part = ExtentOf(item);
    whole.values += part.values;
    whole.depth = std::max(whole.depth, part.depth + 1);
  }
  return whole;
}

}  // namespace micro::natsd::config
