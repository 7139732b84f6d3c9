#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace micro {

namespace internal {

/// Memory for coroutine frames, recycled per thread.
void* AllocateFrame(std::size_t size);
void FreeFrame(void* frame, std::size_t size) noexcept;

/// Says on stderr which coroutine it is, and ends the program.
[[noreturn]] void RefuseFrame(const std::source_location& coroutine) noexcept;

/// What the promises of all coroutines have in common.
///
/// GCC 12 lays the frame of a coroutine out wrongly that awaits within a condition and declares no
/// local variable at all: whoever resumes it misses its frame by a few bytes. Such a coroutine is
/// found out as it begins, before it does harm.
struct FrameMemory {
  static void* operator new(std::size_t size) {
    void* const frame = AllocateFrame(size);
    if constexpr (kSuspectsFrames) latest = frame;
    return frame;
  }
  static void operator delete(void* frame, std::size_t size) noexcept { FreeFrame(frame, size); }

 protected:
  template <typename Promise>
  static void Check(Promise& promise, const std::source_location& coroutine) noexcept {
    if constexpr (kSuspectsFrames) {
      const void* handle = std::coroutine_handle<Promise>::from_promise(promise).address();
      if (handle != latest) [[unlikely]]
        RefuseFrame(coroutine);
    }
  }

 private:
#if defined(__clang__)
  static constexpr bool kSuspectsFrames = false;  // and it may do without operator new
#else
  static constexpr bool kSuspectsFrames = true;
#endif
  static constinit thread_local void* latest;  // the thread's latest frame
};

struct TaskPromiseBase : FrameMemory {
  struct Final {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
      return done.promise().continuation;
    }
    void await_resume() noexcept {}
  };

  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
  void Rethrow() const {
    if (exception) std::rethrow_exception(exception);
  }

  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr exception;
};

template <typename T>
struct TaskPromise : TaskPromiseBase {
  std::coroutine_handle<TaskPromise> get_return_object() noexcept {
    return std::coroutine_handle<TaskPromise>::from_promise(*this);
  }
  std::suspend_always initial_suspend(
      const std::source_location& coroutine = std::source_location::current()) noexcept {
    Check(*this, coroutine);
    return {};
  }
  template <typename U>
  void return_value(U&& from) {
    value.emplace(std::forward<U>(from));
  }
  T Take() {
    Rethrow();
    return std::move(*value);
  }

  std::optional<T> value;
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  std::coroutine_handle<TaskPromise> get_return_object() noexcept {
    return std::coroutine_handle<TaskPromise>::from_promise(*this);
  }
  std::suspend_always initial_suspend(
      const std::source_location& coroutine = std::source_location::current()) noexcept {
    Check(*this, coroutine);
    return {};
  }
  void return_void() noexcept {}
  void Take() const { Rethrow(); }
};

}  // namespace internal

/// Work that is done once, when awaited: the return type of a coroutine.
///
///     micro::Task<micro::Result<Response>> Hello(micro::Context& context, Request request);
///     auto response = co_await greeter.HelloAsync(request);
///
/// Lazy: nothing runs before the first co_await (or Spawn or Await). A coroutine keeps its
/// arguments as they are passed, so pass values, not references to what may be gone when it runs.
/// What the coroutine throws is thrown at the co_await.
template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;
  using value_type = T;

  Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}  // NOLINT
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().Take(); }

  /// Awaitable: as awaiting the task itself, but the value stays within the task, which must live
  /// on.
  auto Borrow() noexcept
    requires(!std::is_void_v<T>)
  {
    struct Awaiter {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle.promise().continuation = awaiting;
        return handle;
      }
      T& await_resume() {
        handle.promise().Rethrow();
        return *handle.promise().value;
      }
      std::coroutine_handle<promise_type> handle;
    };
    return Awaiter{handle_};
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace micro
