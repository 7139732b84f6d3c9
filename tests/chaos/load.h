#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <micro/micro.h>

namespace micro::chaos {

/// Calls at a steady rate, each begun when its time has come, whatever became of those before it.
class Load {
 public:
  struct Record {
    TimePoint begun{};
    Duration took{};
    std::string node{};     ///< the address of who answered
    std::string failure{};  ///< empty: none
  };
  /// Makes one call, and puts in the record who answered.
  using OneCall = std::function<Task<Status>(Record&)>;

  Load(Runtime& runtime, int per_second, OneCall call);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { Stop(); }

  /// Begins no more, and waits for those under way.
  void Stop();

  /// How many have ended.
  std::size_t ended() const;
  /// Waits until so many more have ended as do now; false when they do not for long.
  bool Continues(std::size_t more) const;
  /// Goes on until `condition` holds; false when it does not within a minute.
  template <typename Condition>
  bool Until(Condition condition) const {
    for (const TimePoint begun = std::chrono::steady_clock::now(); !condition();) {
      if (std::chrono::steady_clock::now() - begun > kPatience || !Continues(1)) return false;
    }
    return true;
  }
  /// What went wrong.
  std::vector<std::string> failures() const;
  /// How many of those that began since `since` were answered by `node`.
  std::size_t AnsweredBy(const std::string& node, TimePoint since) const;
  /// How long the longest call took.
  Duration longest() const;
  /// How long after `since` the last call began that failed, or took longer than `slow`.
  Duration TroubleSince(TimePoint since, Duration slow) const;

 private:
  static constexpr Duration kPatience = std::chrono::minutes(1);

  void Pace(const std::stop_token& stop, Duration pause);
  static Task<void> Make(Load& load);
  void Add(Record record);

  Runtime& runtime_;
  const OneCall call_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Record> records_;
  std::size_t under_way_ = 0;
  std::jthread pacer_;  // last: it uses the rest
};

}  // namespace micro::chaos
