#include "micro/context.h"

#include <algorithm>

namespace micro {

Duration Context::remaining() const {
  if (!deadline_) return Duration::max();
  return std::max<Duration>(*deadline_ - std::chrono::steady_clock::now(), Duration::zero());
}

std::stop_token Context::stop_token() const {
  const std::lock_guard lock(mutex_);
  if (!stop_) stop_.emplace();
  if (cancelled()) stop_->request_stop();
  return stop_->get_token();
}

void Context::Cancel() {
  cancelled_.store(true, std::memory_order_release);
  std::optional<std::stop_source> stop;
  {
    const std::lock_guard lock(mutex_);
    stop = stop_;
  }
  if (stop) stop->request_stop();
}

void Context::Reset() {
  service_.clear();
  path_.clear();
  peer_.clear();
  metadata_.Clear();
  response_metadata_.Clear();
  trailers_.Clear();
  attributes_.Clear();
  trace_ = {};
  deadline_.reset();
  received_compression_ = compression_ = Compression::kNone;
  cancelled_.store(false, std::memory_order_relaxed);
  stop_.reset();
}

}  // namespace micro
