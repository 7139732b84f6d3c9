#pragma once

#include <functional>
#include <utility>

#include "runtime/timer.h"

namespace micro::natsd {

/// A timer that calls a function.
class Alarm final : public runtime::Timer {
 public:
  explicit Alarm(std::function<void()> callback) : callback_(std::move(callback)) {}
  void Fire() override { callback_(); }

 private:
  std::function<void()> callback_;
};

}  // namespace micro::natsd
