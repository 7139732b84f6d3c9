#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "micro/logger.h"

namespace micro::observe {

struct LogLine {
  std::uint64_t number = 0;  ///< counts from 1 on
  std::chrono::system_clock::time_point time;
  LogLevel level = LogLevel::kInfo;
  std::string message;
};

/// The latest log lines, and who wants to hear of new ones. Thread-safe.
class LogRing {
 public:
  static constexpr std::size_t kKept = 1024;

  void Add(LogLevel level, std::string_view message);
  /// Those kept whose number is above `number`.
  std::vector<LogLine> After(std::uint64_t number) const;

  /// `heard` is called at every line, from any thread, until it is removed; it must not log.
  std::uint64_t Listen(std::function<void()> heard);
  void Remove(std::uint64_t listener);

 private:
  mutable std::mutex mutex_;
  std::deque<LogLine> lines_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::function<void()>> listeners_;
  std::uint64_t next_listener_ = 0;
};

/// Writes to `logger`, and what that keeps to `ring` as well.
std::shared_ptr<Logger> TeeLogger(std::shared_ptr<Logger> logger, std::shared_ptr<LogRing> ring);

}  // namespace micro::observe
