#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <utility>

#include "micro/event_loop.h"

namespace micro::runtime {

/// Rung from any thread, and heard by one coroutine on one loop. Rings between two waits are one;
/// now and then it is heard without a ring: look at what it stands for.
class Bell : public std::enable_shared_from_this<Bell> {
 public:
  explicit Bell(EventLoop& loop) : loop_(loop) {}

  /// The loop must still be there.
  void Ring() {
    if (rung_.exchange(true)) return;
    loop_.Post([self = shared_from_this()] { self->Wake(); });
  }

  class Awaiter {
   public:
    explicit Awaiter(Bell& bell) : bell_(bell) {}
    bool await_ready() const { return bell_.rung_.exchange(false); }
    void await_suspend(std::coroutine_handle<> waiting) { bell_.waiting_ = waiting; }
    void await_resume() const {}

   private:
    Bell& bell_;
  };
  /// Awaitable, on the loop: until the bell has been rung since the last wait.
  Awaiter Rung() { return Awaiter(*this); }

 private:
  void Wake() {
    const auto waiting = std::exchange(waiting_, nullptr);
    if (!waiting) return;  // the ring is kept for the next wait
    rung_.store(false);
    waiting.resume();
  }

  EventLoop& loop_;
  std::coroutine_handle<> waiting_;
  std::atomic<bool> rung_{false};
};

}  // namespace micro::runtime
