#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace micro::runtime {

/// Threads for work that may block, with a bounded queue before them.
///
/// It begins with a thread for each core and adds one whenever the queue has not moved for a
/// moment, up to the limit: quick work keeps to few threads, and work that waits gets as many as it
/// may have.
class WorkerPool {
 public:
  using Work = std::move_only_function<void()>;

  WorkerPool(std::size_t most_threads, std::size_t most_queued);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  /// Finishes what has begun; what only waited is dropped.
  ~WorkerPool();

  /// False, and `work` is dropped, when the queue is full.
  bool Submit(Work work);
  std::size_t queued() const;
  std::size_t threads() const;
  /// How much work was dropped because the queue was full.
  std::uint64_t refused() const;

 private:
  void RunWorker();
  void RunKeeper();
  void CallKeeper();
  void AddThread();

  const std::size_t most_threads_;
  const std::size_t most_queued_;
  const std::size_t first_threads_;
  mutable std::mutex mutex_;
  std::condition_variable work_ready_;
  std::condition_variable keeper_ready_;
  std::deque<Work> queue_;
  std::vector<std::thread> threads_;
  std::thread keeper_;
  std::size_t idle_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t refused_ = 0;
  bool keeper_sleeps_ = false;
  bool stopping_ = false;
};

}  // namespace micro::runtime
