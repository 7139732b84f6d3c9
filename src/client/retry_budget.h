#pragma once

#include <cstdint>

#include "micro/duration.h"

namespace micro::client {

/// How many calls to one service may be sent again: a fifth of the calls, and some each second, of
/// the last kWindow or so. Where everything fails, it keeps retries from being a second flood.
class RetryBudget {
 public:
  static constexpr double kShare = 0.2;
  static constexpr double kPerSecond = 10;
  static constexpr double kWindow = 10;  ///< seconds

  explicit RetryBudget(TimePoint now, double per_second = kPerSecond)
      : per_second_(per_second), left_(per_second * kWindow), at_(now) {}

  /// A call was made.
  void Add() { ++calls_; }
  /// Whether one may be sent again; then it is.
  bool Take(TimePoint now);

 private:
  double per_second_;
  double left_;
  double recent_ = 0;        // calls in the last kWindow, about
  std::uint64_t calls_ = 0;  // since the last look
  TimePoint at_;             // the last look
};

}  // namespace micro::client
