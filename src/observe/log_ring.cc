#include "observe/log_ring.h"

#include <utility>

namespace micro::observe {
namespace {

class Tee final : public Logger {
 public:
  Tee(std::shared_ptr<Logger> logger, std::shared_ptr<LogRing> ring)
      : logger_(std::move(logger)), ring_(std::move(ring)) {}

  bool Enabled(LogLevel level) const override { return logger_->Enabled(level); }

  void Write(LogLevel level, std::string_view message) override {
    logger_->Write(level, message);
    if (Enabled(level)) ring_->Add(level, message);
  }

 private:
  std::shared_ptr<Logger> logger_;
  std::shared_ptr<LogRing> ring_;
};

}  // namespace

void LogRing::Add(LogLevel level, std::string_view message) {
  const std::lock_guard lock(mutex_);
  lines_.push_back({++last_, std::chrono::system_clock::now(), level, std::string(message)});
  if (lines_.size() > kKept) lines_.pop_front();
  for (const auto& [number, heard] : listeners_) heard();
}

std::vector<LogLine> LogRing::After(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  std::vector<LogLine> lines;
  for (const LogLine& line : lines_) {
    if (line.number > number) lines.push_back(line);
  }
  return lines;
}

std::uint64_t LogRing::Listen(std::function<void()> heard) {
  const std::lock_guard lock(mutex_);
  listeners_.emplace(++next_listener_, std::move(heard));
  return next_listener_;
}

void LogRing::Remove(std::uint64_t listener) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(listener);
}

std::shared_ptr<Logger> TeeLogger(std::shared_ptr<Logger> logger, std::shared_ptr<LogRing> ring) {
  return std::make_shared<Tee>(std::move(logger), std::move(ring));
}

}  // namespace micro::observe
