#pragma once

#include <mutex>
#include <string>

#include <micro/logger.h>

namespace micro::messaging {

/// A logger that keeps its lines.
class LogLines final : public Logger {
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
  bool Has(std::string_view words) const { return text().find(words) != std::string::npos; }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace micro::messaging
