#include "runtime/worker_pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace micro::runtime {
namespace {

// How long the queue may stand still before a thread is added.
constexpr std::chrono::milliseconds kPatience{2};

}  // namespace

WorkerPool::WorkerPool(std::size_t most_threads, std::size_t most_queued)
    : most_threads_(std::max<std::size_t>(most_threads, 1)),
      most_queued_(most_queued),
      first_threads_(
          std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_threads_)) {}

WorkerPool::~WorkerPool() {
  std::deque<Work> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  work_ready_.notify_all();
  keeper_ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  if (keeper_.joinable()) keeper_.join();
}

bool WorkerPool::Submit(Work work) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    if (queue_.size() >= most_queued_) return ++refused_, false;
    queue_.push_back(std::move(work));
    wake = idle_ > 0;
    if (!wake && threads_.size() < first_threads_) AddThread();
    CallKeeper();
  }
  if (wake) work_ready_.notify_one();
  return true;
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t WorkerPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

std::uint64_t WorkerPool::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

void WorkerPool::AddThread() {
  if (!keeper_.joinable()) keeper_ = std::thread([this] { RunKeeper(); });
  threads_.emplace_back([this] { RunWorker(); });
}

void WorkerPool::RunWorker() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    work_ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_) return;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    ++taken_;
    CallKeeper();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

// Asks the keeper to watch the queue, if it is not at it already.
void WorkerPool::CallKeeper() {
  if (keeper_sleeps_ && !queue_.empty() && idle_ == 0) keeper_ready_.notify_one();
}

void WorkerPool::RunKeeper() {
  std::unique_lock lock(mutex_);
  while (!stopping_ && threads_.size() < most_threads_) {
    keeper_sleeps_ = true;
    keeper_ready_.wait(lock, [this] { return stopping_ || (!queue_.empty() && idle_ == 0); });
    keeper_sleeps_ = false;
    const std::uint64_t before = taken_;
    keeper_ready_.wait_for(lock, kPatience, [this] { return stopping_; });
    if (!stopping_ && taken_ == before && !queue_.empty()) AddThread();
  }
}

}  // namespace micro::runtime
