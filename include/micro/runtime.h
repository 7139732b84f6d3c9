#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "micro/error.h"
#include "micro/event_loop.h"
#include "micro/logger.h"
#include "micro/task.h"

namespace micro {

struct RuntimeOptions {
  /// Event loops, a thread each; 0: one for each core.
  std::size_t loops = 0;
  /// Threads for blocking work at the most; they are started as work waits for them.
  std::size_t workers = 64;
  /// Pieces of blocking work that may wait for a thread; more are refused.
  std::size_t worker_queue = 1024;
  /// Where log lines go; null: to stderr.
  std::shared_ptr<Logger> logger = {};
};

/// The threads of a program: event loops for what never blocks, a bounded pool for what may.
///
/// Thread-safe. Destroying it stops the loops and waits for blocking work that has begun.
class Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  std::size_t loops() const;
  EventLoop& loop(std::size_t index);
  /// The loop this thread is, or else the next one in turn.
  EventLoop& NextLoop();

  /// Runs `work` on the worker pool; false, and `work` is dropped, when its queue is full.
  bool Work(std::move_only_function<void()> work);
  /// How many pieces of blocking work wait for a thread.
  std::size_t queued() const;
  /// How many threads there are for it now.
  std::size_t workers() const;
  /// How many pieces of blocking work were refused because the queue was full.
  std::uint64_t refused() const;

  Logger& logger();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

namespace internal {

struct Detached {
  struct promise_type : FrameMemory {
    Detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend(
        const std::source_location& coroutine = std::source_location::current()) noexcept {
      Check(*this, coroutine);
      return {};
    }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };
};

/// Where a blocking caller waits for one event.
class Parker {
 public:
  Parker();
  ~Parker();
  void Wait();
  void Signal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <typename T>
struct ResultOf {
  using type = Result<T>;
};
template <typename T>
struct ResultOf<Result<T>> {
  using type = Result<T>;
};

/// The error for a blocking call on a loop's thread, which would stop every call that lives there.
Failure BlockingOnLoop();

/// What an exception says, as an INTERNAL error.
Error FromException(const std::exception_ptr& exception);

template <typename T, typename R>
Detached RunInto(Task<T> task, std::optional<R>& result, Parker& parker) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await task;
      result.emplace();
    } else {
      result.emplace(co_await task);
    }
  } catch (...) {
    result.emplace(std::unexpect, FromException(std::current_exception()));
  }
  parker.Signal();
}

template <typename T>
Detached RunDetached(Task<T> task) {
  try {
    (void)co_await task;
  } catch (...) {  // NOLINT(bugprone-empty-catch): a detached task has nobody to tell
  }
}

}  // namespace internal

/// Runs `task` on `loop` and blocks this thread until it is done. FAILED_PRECONDITION, and the task
/// is not started, on an event loop's own thread; INTERNAL for what the task throws.
template <typename T>
typename internal::ResultOf<T>::type Await(EventLoop& loop, Task<T> task) {
  if (EventLoop::Current() != nullptr) return internal::BlockingOnLoop();
  std::optional<typename internal::ResultOf<T>::type> result;
  internal::Parker parker;
  loop.Post([&] { internal::RunInto(std::move(task), result, parker); });
  parker.Wait();
  return std::move(*result);
}

/// Starts `task` on `loop` and forgets it; an exception that it throws ends it silently.
template <typename T>
void Spawn(EventLoop& loop, Task<T> task) {
  loop.Post([task = std::move(task)]() mutable { internal::RunDetached(std::move(task)); });
}

/// Suspends the awaiting coroutine, which runs on a loop, for `delay`.
Task<void> Sleep(Duration delay);

/// Runs `work` on the runtime's worker pool while the awaiting coroutine is suspended, and resumes
/// it on its own loop. RESOURCE_EXHAUSTED when the pool's queue is full.
Task<Status> Offload(Runtime& runtime, std::move_only_function<void()> work);

}  // namespace micro
