#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "micro/duration.h"

namespace micro {

/// Lets one line through each while, for what may happen a thousand times a second. Thread-safe.
class Throttle {
 public:
  /// How often it has happened since the last line; nothing when it is too early for another.
  std::optional<std::uint64_t> Pass(TimePoint now) {
    constexpr std::chrono::seconds kWhile{5};
    const std::lock_guard lock(mutex_);
    ++happened_;
    if (now < next_) return std::nullopt;
    next_ = now + kWhile;
    return std::exchange(happened_, 0);
  }

 private:
  std::mutex mutex_;
  TimePoint next_{};
  std::uint64_t happened_ = 0;
};

}  // namespace micro
