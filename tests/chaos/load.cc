#include "load.h"

#include <algorithm>

namespace micro::chaos {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Load::Load(Runtime& runtime, int per_second, OneCall call)
    : runtime_(runtime),
      call_(std::move(call)),
      pacer_([this, pause = Duration(std::chrono::seconds(1)) /
                            per_second](const std::stop_token& stop) { Pace(stop, pause); }) {}

void Load::Pace(const std::stop_token& stop, Duration pause) {
  for (TimePoint next = Clock::now(); !stop.stop_requested(); next += pause) {
    std::this_thread::sleep_until(next);
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    Spawn(runtime_.NextLoop(), Make(*this));
  }
}

Task<void> Load::Make(Load& load) {
  Record record{.begun = Clock::now()};
  const Status status = co_await load.call_(record);
  record.took = Clock::now() - record.begun;
  if (!status) record.failure = status.error().ToString();
  load.Add(std::move(record));
}

void Load::Add(Record record) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  records_.push_back(std::move(record));
  changed_.notify_all();
}

void Load::Stop() {
  if (!pacer_.joinable()) return;
  pacer_.request_stop();
  pacer_.join();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return under_way_ == 0; });
}

std::size_t Load::ended() const {
  const std::lock_guard lock(mutex_);
  return records_.size();
}

bool Load::Continues(std::size_t more) const {
  std::unique_lock lock(mutex_);
  const std::size_t until = records_.size() + more;
  return changed_.wait_for(lock, kPatience, [&] { return records_.size() >= until; });
}

std::vector<std::string> Load::failures() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> failures;
  for (const Record& record : records_) {
    if (!record.failure.empty()) failures.push_back(record.failure);
  }
  return failures;
}

std::size_t Load::AnsweredBy(const std::string& node, TimePoint since) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(records_, [&](const Record& record) {
    return record.begun >= since && record.node == node && record.failure.empty();
  }));
}

Duration Load::longest() const {
  const std::lock_guard lock(mutex_);
  Duration longest{};
  for (const Record& record : records_) longest = std::max(longest, record.took);
  return longest;
}

Duration Load::TroubleSince(TimePoint since, Duration slow) const {
  const std::lock_guard lock(mutex_);
  Duration longest{};
  for (const Record& record : records_) {
    if (record.failure.empty() && record.took <= slow) continue;
    longest = std::max(longest, Duration(record.begun - since));
  }
  return longest;
}

}  // namespace micro::chaos
