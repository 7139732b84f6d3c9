#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "micro/logger.h"

namespace micro::natsd::testing {

/// Keeps what is logged, for tests that want to see it.
class QuietLogger final : public Logger {
 public:
  bool Enabled(LogLevel /*level*/) const override { return true; }
  void Write(LogLevel /*level*/, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    text_.append(message).append("\n");
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace micro::natsd::testing
