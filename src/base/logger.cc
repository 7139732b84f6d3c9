#include "micro/logger.h"

#include <array>
#include <utility>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/log_level.h"

namespace micro {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info",
                                                    "warn",  "error", "fatal"};

constexpr std::array<spdlog::level::level_enum, 6> kSpdlog = {
    spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
    spdlog::level::warn,  spdlog::level::err,   spdlog::level::critical};

class SpdlogLogger final : public Logger {
 public:
  explicit SpdlogLogger(LogLevel least)
      : logger_("micro", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(ToSpdlog(least));
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  }

  bool Enabled(LogLevel level) const override { return logger_.should_log(ToSpdlog(level)); }

  void Write(LogLevel level, std::string_view message) override {
    logger_.log(ToSpdlog(level), spdlog::string_view_t(message.data(), message.size()));
  }

 private:
  static spdlog::level::level_enum ToSpdlog(LogLevel level) {
    return kSpdlog.at(static_cast<std::size_t>(level));
  }

  spdlog::logger logger_;
};

}  // namespace

std::string_view LevelName(LogLevel level) { return kNames.at(static_cast<std::size_t>(level)); }

Result<LogLevel> ParseLogLevel(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == text) return static_cast<LogLevel>(i);
  }
  return InvalidArgument("unknown log level \"" + std::string(text) +
                         "\"; known: trace, debug, info, warn, error, fatal");
}

std::shared_ptr<Logger> StderrLogger(LogLevel least) {
  return std::make_shared<SpdlogLogger>(least);
}

}  // namespace micro
