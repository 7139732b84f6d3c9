#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "micro/duration.h"
#include "micro/error.h"

#include "runtime/timer.h"

namespace micro::natsd {

/// A file descriptor's owner, told of what epoll has seen.
class Watch {
 public:
  /// `events` as epoll has them. It may remove itself and others, but must outlive the turn.
  virtual void OnEvents(std::uint32_t events) = 0;

 protected:
  ~Watch() = default;
};

/// The one thread of a server: sockets, timers, and what other threads ask for. It is leaner than
/// the runtime's loop in what a message costs: no allocation, no lock and no clock for each event.
///
/// Post and Stop may be called from any thread, everything else only from the one that runs it.
class Loop {
 public:
  using Callback = std::move_only_function<void()>;

  Loop() = default;
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// RESOURCE_EXHAUSTED when the system has no more descriptors.
  Status Open();

  void Add(int descriptor, std::uint32_t events, Watch& watch);
  void Change(int descriptor, std::uint32_t events, Watch& watch);
  void Remove(int descriptor);

  void Arm(runtime::Timer& timer, Duration delay) {
    timers_.Add(timer, runtime::Later(now_, delay));
  }
  /// When this turn began.
  TimePoint now() const { return now_; }

  /// Runs `callback` in the next turn.
  void Post(Callback callback);

  /// Runs until Stop. `after_turn` is called at the end of each turn, and says whether the next is
  /// to come at once.
  void Run(const std::function<bool()>& after_turn);
  void Stop();
  /// Once it has ended: what is posted is thrown away.
  void Refuse();

 private:
  int Wait(bool at_once) const;
  void RunPosted();
  void FireDue();

  int epoll_ = -1;
  int bell_ = -1;  // an eventfd
  bool running_ = true;
  TimePoint now_ = std::chrono::steady_clock::now();
  runtime::TimerQueue timers_;
  std::mutex mutex_;
  bool refusing_ = false;
  std::vector<Callback> posted_;
  std::vector<Callback> at_hand_;
};

}  // namespace micro::natsd
