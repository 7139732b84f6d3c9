#pragma once

#include <functional>
#include <memory>

#include "micro/duration.h"

namespace micro {

/// One thread that runs callbacks and coroutines, and never blocks.
///
/// A connection lives on one loop, and so does every call on it: what runs on the same loop needs
/// no locks. Loops belong to a Runtime; a user does not implement this interface.
class EventLoop {
 public:
  using Callback = std::move_only_function<void()>;

  virtual ~EventLoop() = default;

  /// The loop whose thread this is; null on every other thread.
  static EventLoop* Current() noexcept;
  bool InLoop() const noexcept { return Current() == this; }

  /// Runs `callback` on the loop's thread, after what is under way. From any thread.
  virtual void Post(Callback callback) = 0;

  /// Runs `callback` on the loop's thread once `delay` has passed. From any thread.
  virtual void PostAfter(Duration delay, Callback callback) = 0;
};

}  // namespace micro
