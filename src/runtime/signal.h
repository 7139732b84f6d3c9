#pragma once

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <memory>
#include <vector>

#include "micro/duration.h"

#include "runtime/loop.h"

namespace micro::runtime {

/// Something a coroutine waits for that can be cut short, on the same loop.
class Interruptible {
 public:
  virtual void Interrupt() = 0;

 protected:
  ~Interruptible() = default;
};

/// What ends a coroutine's waits from outside, for good: it remembers that it was pulled.
class Interrupter {
 public:
  void Pull() {
    pulled_ = true;
    if (auto* waiting = std::exchange(waiting_, nullptr)) waiting->Interrupt();
  }
  bool pulled() const { return pulled_; }
  void Watch(Interruptible* waiting) { waiting_ = waiting; }

 private:
  bool pulled_ = false;
  Interruptible* waiting_ = nullptr;
};

/// Until when, and until whose word, a coroutine waits.
struct Patience {
  TimePoint deadline = TimePoint::max();
  Interrupter* interrupter = nullptr;

  bool over() const { return interrupter != nullptr && interrupter->pulled(); }
  /// The same for no longer than `time` from now on.
  Patience Within(Duration time) const {
    const TimePoint end = Later(std::chrono::steady_clock::now(), time);
    return {.deadline = std::min(deadline, end), .interrupter = interrupter};
  }
};

/// A wait for one thing, with patience: the base of awaiters. Settle() ends it, and so do deadline
/// and interrupter; the coroutine is resumed exactly once.
class Wait : public Timer, public Interruptible {
 public:
  explicit Wait(const Patience& patience) : patience_(patience) {}

  /// False when patience is over already: there is nothing to wait for.
  bool Suspend(std::coroutine_handle<> waiting) {
    if (patience_.over()) return false;
    waiting_ = waiting;
    if (patience_.interrupter != nullptr) patience_.interrupter->Watch(this);
    if (patience_.deadline != TimePoint::max()) {
      Loop::Of(*EventLoop::Current()).Add(*this, patience_.deadline);
    }
    return true;
  }
  /// What was waited for is there.
  void Settle() { Resume(true); }
  /// Whether it came in time.
  bool settled() const { return settled_; }

  void Fire() override { Resume(false); }
  void Interrupt() override { Resume(false); }

 private:
  void Resume(bool settled) {
    const auto waiting = std::exchange(waiting_, nullptr);
    if (!waiting) return;
    settled_ = settled;
    Cancel();
    if (patience_.interrupter != nullptr) patience_.interrupter->Watch(nullptr);
    waiting.resume();
  }

  Patience patience_;
  std::coroutine_handle<> waiting_;
  bool settled_ = false;
};

/// Awaitable: until patience is over.
class Delay final : public Wait {
 public:
  using Wait::Wait;
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) { return Suspend(waiting); }
  void await_resume() const {}
};

/// An event that happens once, on one loop, and that any number of its coroutines wait for.
class Signal {
 public:
  bool set() const { return set_; }

  void Set() {
    set_ = true;
    // Whoever resumes may let go of this signal, or end another's wait.
    const auto waits = std::move(waits_);
    for (const auto& wait : waits) {
      if (Wait* waiting = *wait) waiting->Settle();
    }
  }

  /// Awaitable: whether the signal was set before patience ran out.
  class Awaiter final : public Wait {
   public:
    Awaiter(Signal& signal, const Patience& patience) : Wait(patience), signal_(signal) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() override {
      if (place_) *place_ = nullptr;
    }
    bool await_ready() const { return signal_.set_; }
    bool await_suspend(std::coroutine_handle<> waiting) {
      place_ = signal_.waits_.emplace_back(std::make_shared<Wait*>(this));
      return Suspend(waiting);
    }
    bool await_resume() const { return !place_ || settled(); }

   private:
    Signal& signal_;
    std::shared_ptr<Wait*> place_;
  };

 private:
  std::vector<std::shared_ptr<Wait*>> waits_;
  bool set_ = false;
};

}  // namespace micro::runtime
