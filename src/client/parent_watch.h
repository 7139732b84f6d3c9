#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "micro/context.h"
#include "micro/event_loop.h"

#include "runtime/signal.h"

namespace micro::client {

/// Pulls the interrupter of a call, on its loop, when the call it is part of is cancelled.
class ParentWatch {
 public:
  ParentWatch(EventLoop& loop, runtime::Interrupter& interrupter, const Context& parent)
      : state_(std::make_shared<State>(&interrupter)),
        callback_(parent.stop_token(), [&loop, state = state_] {
          loop.Post([state] {
            if (state->interrupter != nullptr) state->interrupter->Pull();
          });
        }) {}
  ParentWatch(const ParentWatch&) = delete;
  ParentWatch& operator=(const ParentWatch&) = delete;
  ~ParentWatch() { state_->interrupter = nullptr; }

 private:
  struct State {
    runtime::Interrupter* interrupter;
  };
  std::shared_ptr<State> state_;
  std::stop_callback<std::move_only_function<void()>> callback_;
};

}  // namespace micro::client
