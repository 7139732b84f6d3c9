#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"

#include "natsd/config/value.h"

namespace micro::natsd::config {

/// A key that a map may have, under any of its names, and what is done with its value.
struct Key {
  std::vector<std::string_view> names;  ///< in lower case
  std::function<Status(const Value&)> read;
};

/// Hands what is in the map `value` to its keys, in the order of the map; keys are compared without
/// regard to case. A key that is neither among `keys` nor a variable that is used is an error that
/// says so, after `within`, and so is a value that is no map.
Status ReadKeys(const Value& value, std::string_view within, const std::vector<Key>& keys);

/// What puts a value that `read` understands into `place`, which must outlive it.
template <typename T>
std::function<Status(const Value&)> Into(T& place, Result<T> (*read)(const Value&)) {
  return [&place, read](const Value& value) -> Status {
    auto got = read(value);
    if (!got) return Failure(std::move(got.error()));
    place = *std::move(got);
    return Ok();
  };
}

}  // namespace micro::natsd::config
