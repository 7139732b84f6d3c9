#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

/// What a closed loop of calls takes: rate, latencies, and the CPU time of this process. Calls that
/// end before the warm-up is over, or after the end, do not count.
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

  /// One call that has ended. All calls end on one thread.
  void Add(Clock::time_point start, bool good) {
    const auto now = Clock::now();
    if (now < begin_ || now >= end_) return;
    if (!good) ++failed_;
    microseconds_.push_back(std::chrono::duration<float, std::micro>(now - start).count());
  }

  /// Waits the measurement out while others call; notes the CPU time.
  void Wait() {
    std::this_thread::sleep_until(begin_);
    const double before = CpuSeconds();
    std::this_thread::sleep_until(end_);
    cpu_seconds_ = CpuSeconds() - before;
  }

  /// The same for the thread that makes the calls itself: asked before each of them.
  void NoteCpu() {
    const auto now = Clock::now();
    if (now < begin_) cpu_before_ = CpuSeconds();
    cpu_seconds_ = CpuSeconds() - cpu_before_;
  }

  /// One line of figures on stdout.
  void Print() {
    const auto calls = microseconds_.size();
    const double seconds = std::chrono::duration<double>(end_ - begin_).count();
    std::printf("rate=%.0f p50_us=%.1f p99_us=%.1f client_us=%.2f failed=%llu\n",
                static_cast<double>(calls) / seconds, Percentile(0.50), Percentile(0.99),
                calls == 0 ? 0.0 : cpu_seconds_ * 1e6 / static_cast<double>(calls),
                static_cast<unsigned long long>(failed_));
  }

  bool good() const { return failed_ == 0 && !microseconds_.empty(); }

 private:
  static constexpr std::chrono::milliseconds kWarmUp{300};

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
  std::vector<float> microseconds_;
  std::uint64_t failed_ = 0;
  double cpu_before_ = 0;
  double cpu_seconds_ = 0;
};

}  // namespace bench
