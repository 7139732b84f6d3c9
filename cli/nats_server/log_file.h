#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "micro/error.h"
#include "micro/logger.h"

namespace micro::natsd {

/// Lines as nats-server writes them, to a file or to stderr:
///
///     [4711] 2026/01/02 03:04:05.678901 [INF] Server is ready
class LogFile final : public Logger {
 public:
  struct Style {
    LogLevel least = LogLevel::kInfo;
    bool time = true;
  };

  /// `path` empty: stderr. INVALID_ARGUMENT with Phase::kConfigure for a file that cannot be
  /// written.
  static Result<std::shared_ptr<LogFile>> Open(const std::string& path, const Style& style);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile() override;

  /// Goes on in the file that has the name now, after another program has moved the old one away.
  Status Reopen();
  void SetStyle(const Style& style);

  // Logger
  bool Enabled(LogLevel level) const override;
  void Write(LogLevel level, std::string_view message) override;

 private:
  explicit LogFile(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  std::atomic<LogLevel> least_ = LogLevel::kInfo;
  std::atomic<bool> time_ = true;
  std::mutex mutex_;
  int descriptor_ = 2;
};

}  // namespace micro::natsd
