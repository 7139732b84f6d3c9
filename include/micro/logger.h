#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro {

/// How much a log line matters; go-micro's level names.
enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kFatal };

/// Reads "trace", "debug", "info", "warn", "error" or "fatal"; INVALID_ARGUMENT otherwise.
Result<LogLevel> ParseLogLevel(std::string_view text);

/// Where the library's log lines go. Implementations are thread-safe and never throw.
class Logger {
 public:
  virtual ~Logger() = default;

  /// Whether a line of `level` would be kept; asked before a costly line is put together.
  virtual bool Enabled(LogLevel level) const = 0;

  /// Keeps one line; `message` has no line break at its end.
  virtual void Write(LogLevel level, std::string_view message) = 0;
};

/// The default logger: to stderr, with time and level, lines of `least` and above.
std::shared_ptr<Logger> StderrLogger(LogLevel least = LogLevel::kInfo);

}  // namespace micro
