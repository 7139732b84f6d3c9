#include "runtime/loop.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace micro {
namespace {

constinit thread_local EventLoop* current = nullptr;

}  // namespace

EventLoop* EventLoop::Current() noexcept { return current; }

namespace runtime {
namespace {

class CallbackTimer final : public Timer {
 public:
  explicit CallbackTimer(EventLoop::Callback callback) : callback_(std::move(callback)) {}
  void Fire() override {
    const std::unique_ptr<CallbackTimer> self(this);
    callback_();
  }

 private:
  EventLoop::Callback callback_;
};

}  // namespace

Loop::Loop() : work_(boost::asio::make_work_guard(io_)), alarm_(io_) {}

Loop::~Loop() {
  Stop();
  while (Timer* timer = timers_.TakeDue(TimePoint::max())) {
    delete dynamic_cast<CallbackTimer*>(timer);
  }
}

void Loop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Loop::Run() {
  current = this;
  io_.run();
  current = nullptr;
}

void Loop::Stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(io_, [this] { io_.stop(); });
  thread_.join();
}

void Loop::Post(Callback callback) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(callback));
  }
  if (first) boost::asio::post(io_, [this] { Drain(); });
}

void Loop::Drain() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (Callback& callback : running_) callback();
  running_.clear();
}

void Loop::PostAfter(Duration delay, Callback callback) {
  const TimePoint when = std::chrono::steady_clock::now() + delay;
  Post([this, when, callback = std::move(callback)]() mutable {
    Add(*new CallbackTimer(std::move(callback)), when);
  });
}

void Loop::Add(Timer& timer, TimePoint when) {
  timers_.Add(timer, when);
  if (when < armed_) Arm();
}

void Loop::Arm() {
  armed_ = timers_.earliest();
  alarm_.expires_at(armed_);
  alarm_.async_wait([this](const boost::system::error_code& error) {
    if (!error) FireDue();
  });
}

void Loop::FireDue() {
  armed_ = TimePoint::max();
  const TimePoint now = std::chrono::steady_clock::now();
  while (Timer* timer = timers_.TakeDue(now)) timer->Fire();
  if (!timers_.empty()) Arm();
}

}  // namespace runtime
}  // namespace micro
