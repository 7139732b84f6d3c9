#pragma once

#include <coroutine>

#include "micro/transport.h"

#include "runtime/signal.h"

namespace micro::etcd {

/// What wakes a coroutine that waits for any of several things: it is told that something has
/// happened, and looks what. Nudges between two waits are one. Lives on one loop.
class Nudge final : public transport::Waiter {
 public:
  void Wake() override {
    nudged_ = true;
    if (waiting_ != nullptr) waiting_->Settle();
  }

  /// Awaitable: until the next nudge, or until patience is over.
  class Awaiter final : public runtime::Wait {
   public:
    Awaiter(Nudge& nudge, const runtime::Patience& patience) : Wait(patience), nudge_(nudge) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() override { nudge_.waiting_ = nullptr; }

    bool await_ready() const { return nudge_.nudged_; }
    bool await_suspend(std::coroutine_handle<> waiting) {
      nudge_.waiting_ = this;
      return Suspend(waiting);
    }
    void await_resume() const {
      nudge_.waiting_ = nullptr;
      nudge_.nudged_ = false;
    }

   private:
    Nudge& nudge_;
  };

 private:
  bool nudged_ = false;
  runtime::Wait* waiting_ = nullptr;
};

}  // namespace micro::etcd
