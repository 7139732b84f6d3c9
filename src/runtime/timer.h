#pragma once

#include <boost/intrusive/set.hpp>

#include "micro/duration.h"

namespace micro::runtime {

/// `delay` after `from`, or the latest time there is.
inline TimePoint Later(TimePoint from, Duration delay) {
  return delay > TimePoint::max() - from ? TimePoint::max() : from + delay;
}

/// Something that happens on a loop at a time, unless it is cancelled first. Holding the hook
/// itself, it costs no allocation; it is used on its loop's thread only.
class Timer : public boost::intrusive::set_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() = default;

  virtual void Fire() = 0;

  TimePoint when() const { return when_; }
  bool armed() const { return is_linked(); }
  void Cancel() { unlink_if_linked(); }

 private:
  friend class TimerQueue;
  void unlink_if_linked() {
    if (is_linked()) unlink();
  }
  TimePoint when_{};
};

/// Timers by time. Those of one length, the usual case, are added at the end in constant time.
class TimerQueue {
 public:
  void Add(Timer& timer, TimePoint when) {
    timer.Cancel();
    timer.when_ = when;
    timers_.insert(timers_.end(), timer);
  }
  bool empty() const { return timers_.empty(); }
  TimePoint earliest() const { return timers_.begin()->when(); }

  /// Takes out the first timer that is due at `now`; null when none is.
  Timer* TakeDue(TimePoint now) {
    if (empty() || earliest() > now) return nullptr;
    Timer& timer = *timers_.begin();
    timer.Cancel();
    return &timer;
  }

 private:
  struct Earlier {
    bool operator()(const Timer& a, const Timer& b) const { return a.when() < b.when(); }
  };
  boost::intrusive::multiset<Timer, boost::intrusive::compare<Earlier>,
                             boost::intrusive::constant_time_size<false>>
      timers_;
};

}  // namespace micro::runtime
