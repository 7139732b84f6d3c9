#include "natsd/side_thread.h"

#include <utility>

namespace micro::natsd {

bool SideThread::Do(Work work) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || work_.size() >= kMost) return false;
  work_.push_back(std::move(work));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_one();
  return true;
}

void SideThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    work_.clear();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void SideThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !work_.empty(); });
    if (stopped_) return;
    Work work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace micro::natsd
