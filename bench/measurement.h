#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

/// What a closed loop of calls takes: rate, latencies, and the CPU time of this process. Calls that
/// end before the warm-up is over, or after the end, do not count. Thread-safe.
class Measurement {
 public:
  explicit Measurement(double seconds)
      : begin_(Clock::now() + kWarmUp),
        end_(begin_ +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {
    microseconds_.reserve(1U << 20U);
  }

  /// Whether the callers are to go on.
  bool Runs() const { return Clock::now() < end_; }

  /// One call that has ended.
  void Add(Clock::time_point start, bool good) {
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    if (!Count(now, good)) return;
    microseconds_.push_back(std::chrono::duration<float, std::micro>(now - start).count());
  }

  /// One message of a stream that has come; how long it took nobody knows.
  void Add(bool good) {
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    Count(now, good);
  }

  /// Waits the measurement out while others call; notes the CPU time.
  void Wait() {
    std::this_thread::sleep_until(begin_);
    const double before = CpuSeconds();
    std::this_thread::sleep_until(end_);
    cpu_seconds_ = CpuSeconds() - before;
  }

  /// One line of figures on stdout. `calls` are all there were.
  void Print() {
    const double seconds = std::chrono::duration<double>(end_ - begin_).count();
    std::printf("rate=%.0f p50_us=%.1f p99_us=%.1f client_us=%.2f failed=%llu calls=%llu\n",
                static_cast<double>(counted_) / seconds, Percentile(0.50), Percentile(0.99),
                counted_ == 0 ? 0.0 : cpu_seconds_ * 1e6 / static_cast<double>(counted_),
                static_cast<unsigned long long>(failed_), static_cast<unsigned long long>(all_));
  }

  bool good() const { return failed_ == 0 && counted_ > 0; }

 private:
  static constexpr std::chrono::milliseconds kWarmUp{300};

  bool Count(Clock::time_point now, bool good) {
    ++all_;
    if (!good) ++failed_;
    if (now < begin_ || now >= end_) return false;
    ++counted_;
    return true;
  }

  static double CpuSeconds() {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
  }

  double Percentile(double share) {
    if (microseconds_.empty()) return 0;
    const auto rank =
        static_cast<std::ptrdiff_t>(share * static_cast<double>(microseconds_.size() - 1));
    const auto place = microseconds_.begin() + rank;
    std::nth_element(microseconds_.begin(), place, microseconds_.end());
    return *place;
  }

  Clock::time_point begin_;
  Clock::time_point end_;
  std::mutex mutex_;
  std::vector<float> microseconds_;
  std::uint64_t all_ = 0;
  std::uint64_t counted_ = 0;
  std::uint64_t failed_ = 0;
  double cpu_seconds_ = 0;
};

}  // namespace bench
