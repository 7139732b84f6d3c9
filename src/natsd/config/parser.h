#pragma once

#include <functional>
#include <optional>
#include <string>

#include "micro/error.h"

#include "natsd/config/value.h"

namespace micro::natsd::config {

/// What a configuration refers to.
struct Sources {
  /// The text of a file, for `include`.
  std::function<Result<std::string>(const std::string& path)> file;
  /// A variable of the environment, for `$NAME` that is no key above it.
  std::function<std::optional<std::string>(const std::string& name)> variable;

  /// Those of this machine. Files are read up to kLongestFile.
  static Sources Real();
};

/// What keeps a configuration from eating the machine.
constexpr std::size_t kLongestFile = 4U << 20U;  // bytes
constexpr std::size_t kMostValues = 1U << 20U;   // with what variables stand for
constexpr std::size_t kDeepest = 32;             // lists and maps within each other
constexpr std::size_t kDeepestInclude = 10;
constexpr std::size_t kMostIncludes = 1000;

/// Reads the language of nats-server's configuration files:
///
///     key: value          # or key = value, or key value, or key { … }
///     list: [a, "b c"]    // comments
///     include ./more.conf
///     again: $key
///
/// `path` is what errors call the text, and what included files are looked for beside.
/// INVALID_ARGUMENT with Phase::kConfigure, "file:line: what is wrong", for what is none.
Result<Value> Parse(const std::string& path, const std::string& text, const Sources& sources);

/// Parse of the file at `path`.
Result<Value> ParseFile(const std::string& path, const Sources& sources);

}  // namespace micro::natsd::config
