#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace micro::natsd {

/// A thread for what takes longer than the server's own may wait. It is started when it is first
/// needed. Thread-safe.
class SideThread {
 public:
  using Work = std::move_only_function<void()>;
  /// How much may wait.
  static constexpr std::size_t kMost = 256;

  SideThread() = default;
  /// Waits for what runs; what waits is not done.
  ~SideThread() { Stop(); }
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  /// False when too much waits, or it has stopped.
  bool Do(Work work);
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace micro::natsd
