#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"

namespace micro::natsd::config {

/// Where something stands in a configuration.
struct Place {
  std::shared_ptr<const std::string> file = {};
  int line = 0;  ///< 0: `file` is not one, but a flag
};

/// What a configuration says: a text, a list, or a map of its keys in order. What a text means,
/// number or duration or name, is known only where it is used.
struct Value {
  enum class Kind : std::uint8_t { kText, kList, kMap };
  using Items = std::vector<Value>;

  Kind kind = Kind::kText;
  Place place = {};
  std::string content = {};  ///< of a text
  Items items = {};          ///< of a list or a map; a key that is there twice counts as said last
  std::string key = {};      ///< of what is in a map
  bool used = false;         ///< whether a variable, "$key", refers to it

  /// Each is null for a value of another kind.
  const std::string* text() const { return kind == Kind::kText ? &content : nullptr; }
  const Items* list() const { return kind == Kind::kList ? &items : nullptr; }
  const Items* map() const { return kind == Kind::kMap ? &items : nullptr; }
};

/// INVALID_ARGUMENT with Phase::kConfigure: "file:line: sentence".
Failure Complaint(const Place& place, std::string_view sentence);

/// `text` between quotes as an error shows it: in one line, and not too long.
std::string Quoted(std::string_view text);

/// How many values there are in `value`, itself included, and how deep they lie (1: none within).
/// A long text counts as several, by what it takes to keep.
struct Extent {
  std::size_t values = 1;
  std::size_t depth = 1;
};
Extent ExtentOf(const Value& value);

}  // namespace micro::natsd::config
