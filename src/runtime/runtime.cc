#include "micro/runtime.h"

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/overload.h"
#include "runtime/loop.h"
#include "runtime/worker_pool.h"

namespace micro {

struct Runtime::Parts {
  explicit Parts(RuntimeOptions options)
      : logger(options.logger ? std::move(options.logger) : StderrLogger()),
        workers(options.workers, options.worker_queue) {
    std::size_t count = options.loops != 0 ? options.loops : std::thread::hardware_concurrency();
    for (count = std::max<std::size_t>(count, 1); count > 0; --count) {
      loops.push_back(std::make_unique<runtime::Loop>());
    }
    for (auto& loop : loops) loop->Start();
  }

  ~Parts() {
    for (auto& loop : loops) loop->Stop();
  }

  std::shared_ptr<Logger> logger;
  std::vector<std::unique_ptr<runtime::Loop>> loops;
  std::atomic<std::size_t> next{0};
  runtime::WorkerPool workers;  // destroyed first: its work posts to the loops
};

Runtime::Runtime(RuntimeOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}
Runtime::~Runtime() = default;

std::size_t Runtime::loops() const { return parts_->loops.size(); }
EventLoop& Runtime::loop(std::size_t index) { return *parts_->loops.at(index); }

EventLoop& Runtime::NextLoop() {
  if (EventLoop* current = EventLoop::Current()) {
    for (auto& loop : parts_->loops) {
      if (loop.get() == current) return *current;
    }
  }
  const std::size_t turn = parts_->next.fetch_add(1, std::memory_order_relaxed);
  return *parts_->loops[turn % parts_->loops.size()];
}

bool Runtime::Work(std::move_only_function<void()> work) {
  return parts_->workers.Submit(std::move(work));
}

std::size_t Runtime::queued() const { return parts_->workers.queued(); }
std::size_t Runtime::workers() const { return parts_->workers.threads(); }
std::uint64_t Runtime::refused() const { return parts_->workers.refused(); }
Logger& Runtime::logger() { return *parts_->logger; }

namespace internal {

struct Parker::State {
  std::mutex mutex;
  std::condition_variable signalled;
  bool done = false;
};

Parker::Parker() : state_(std::make_unique<State>()) {}
Parker::~Parker() = default;

void Parker::Wait() {
  std::unique_lock lock(state_->mutex);
  state_->signalled.wait(lock, [this] { return state_->done; });
}

void Parker::Signal() {
  const std::lock_guard lock(state_->mutex);
  state_->done = true;
  state_->signalled.notify_one();  // under the lock: the waiter destroys this when it gets it
}

Failure BlockingOnLoop() {
  return FailedPrecondition(
      "a blocking call on an event loop's thread would stop every call that lives there; use the "
      "coroutine form (…Async) or a blocking handler");
}

Error FromException(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return {Code::kInternal, e.what()};
  } catch (...) {
    return {Code::kInternal, "an exception that is no std::exception"};
  }
}

}  // namespace internal

namespace {

struct SleepAwaiter final : runtime::Timer {
  explicit SleepAwaiter(Duration d) : delay(d) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    handle = waiting;
    runtime::Loop::Of(*EventLoop::Current()).Add(*this, std::chrono::steady_clock::now() + delay);
  }
  void await_resume() const {}
  void Fire() override { handle.resume(); }

  Duration delay;
  std::coroutine_handle<> handle;
};

struct OffloadAwaiter {
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) {
    EventLoop& loop = *EventLoop::Current();
    accepted = true;  // before the hand-over: from then on this may be gone
    if (runtime.Work([this, waiting, &loop] {
          work();
          loop.Post([waiting] { waiting.resume(); });
        })) {
      return true;
    }
    accepted = false;
    return false;
  }
  bool await_resume() const { return accepted; }

  Runtime& runtime;
  std::move_only_function<void()>& work;
  bool accepted = false;
};

}  // namespace

Task<void> Sleep(Duration delay) {
  SleepAwaiter awaiter(delay);
  co_await awaiter;
}

Task<Status> Offload(Runtime& runtime, std::move_only_function<void()> work) {
  OffloadAwaiter awaiter{runtime, work};
  const bool accepted = co_await awaiter;
  if (!accepted) {
    co_return Fails(Overloaded("the worker queue is full (--worker_queue)"));
  }
  co_return Ok();
}

}  // namespace micro
