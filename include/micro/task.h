#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace micro {

namespace internal {

/// Memory for coroutine frames, recycled per thread.
void* AllocateFrame(std::size_t size);
void FreeFrame(void* frame, std::size_t size) noexcept;

struct FrameMemory {
  static void* operator new(std::size_t size) { return AllocateFrame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { FreeFrame(frame, size); }
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

  std::suspend_always initial_suspend() noexcept { return {}; }
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
