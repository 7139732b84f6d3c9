#pragma once

#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "micro/event_loop.h"

#include "runtime/timer.h"

namespace micro::runtime {

/// The one EventLoop: an Asio io_context and its thread.
class Loop final : public EventLoop {
 public:
  Loop();
  ~Loop() override;

  /// The concrete loop behind an EventLoop; every EventLoop is one.
  static Loop& Of(EventLoop& loop) { return static_cast<Loop&>(loop); }

  void Start();
  /// Runs what is ready, then ends the thread and waits for it.
  void Stop();

  void Post(Callback callback) override;
  void PostAfter(Duration delay, Callback callback) override;

  /// On the loop's thread only: the cheap timers of calls. Timers fire in order, not early.
  void Add(Timer& timer, TimePoint when);

  boost::asio::io_context& io() { return io_; }

 private:
  void Run();
  void Drain();
  void Arm();
  void FireDue();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer alarm_;
  TimePoint armed_ = TimePoint::max();
  TimerQueue timers_;
  std::mutex mutex_;
  std::vector<Callback> posted_;
  std::vector<Callback> running_;
  std::thread thread_;
};

}  // namespace micro::runtime
