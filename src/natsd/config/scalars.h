#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "micro/duration.h"
#include "micro/error.h"

#include "natsd/config/value.h"

namespace micro::natsd::config {

/// Each takes a value for what it is asked for, or complains where the value stands.

Result<std::string> ReadText(const Value& value);

/// "true", "yes", "on" and their opposites, in any case.
Result<bool> ReadBool(const Value& value);

/// An integer with a suffix, as nats-server has them: k, m, g, t (1000) and kb, ki, kib… (1024).
Result<std::int64_t> ReadInteger(const Value& value);

/// ReadInteger within bounds.
Result<std::int64_t> ReadWithin(const Value& value, std::int64_t least, std::int64_t most);

/// A number of bytes or things; a limit of none or less than none is 0 or -1, and read as `none`.
Result<std::size_t> ReadLimit(const Value& value, std::size_t none);

/// "1m30s", or a plain number: seconds. Never negative.
Result<Duration> ReadTime(const Value& value);

/// A text or a list of them.
Result<std::vector<std::string>> ReadTexts(const Value& value);

/// Where to listen: "host:port", ":port" or "port"; port -1 is any that is free.
struct Listen {
  std::string host = {};
  int port = 0;
};
Result<Listen> ReadListen(const Value& value);

}  // namespace micro::natsd::config
