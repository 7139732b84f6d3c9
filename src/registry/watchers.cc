#include "registry/watchers.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <set>
#include <thread>

namespace micro {

class Watchers::State final {
 public:
  using Id = std::uint64_t;

  Id Add(std::string_view service, Registry::Watcher watcher);
  void Remove(Id id);
  bool Tell(Change change);
  void Stop();
  bool empty() const;
  bool watches(std::string_view service) const;
  std::vector<std::string> services() const;

 private:
  struct Watch {
    std::string service;
    std::shared_ptr<const Registry::Watcher> watcher;
  };

  void Run();
  void TellAll(std::unique_lock<std::mutex>& lock, const Change& change);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Id, Watch> watches_;
  std::deque<Change> waiting_;
  Id last_id_ = 0;
  Id being_told_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // from the first watch on
};

Watchers::State::Id Watchers::State::Add(std::string_view service, Registry::Watcher watcher) {
  const std::scoped_lock lock(mutex_);
  const Id id = ++last_id_;
  watches_[id] = {.service = std::string(service),
                  .watcher = std::make_shared<const Registry::Watcher>(std::move(watcher))};
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  return id;
}

void Watchers::State::Remove(Id id) {
  std::unique_lock lock(mutex_);
  watches_.erase(id);
  changed_.wait(lock, [&] { return being_told_ != id; });
}

bool Watchers::State::Tell(Change change) {
  const std::scoped_lock lock(mutex_);
  if (watches_.empty()) return true;
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(std::move(change));
  changed_.notify_all();
  return true;
}

void Watchers::State::Stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool Watchers::State::empty() const {
  const std::scoped_lock lock(mutex_);
  return watches_.empty();
}

bool Watchers::State::watches(std::string_view service) const {
  const std::scoped_lock lock(mutex_);
  return std::ranges::any_of(watches_, [service](const auto& each) {
    return each.second.service.empty() || each.second.service == service;
  });
}

std::vector<std::string> Watchers::State::services() const {
  const std::scoped_lock lock(mutex_);
  std::set<std::string> names;
  for (const auto& [id, watch] : watches_) {
    if (!watch.service.empty()) names.insert(watch.service);
  }
  return {names.begin(), names.end()};
}

void Watchers::State::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Change change = std::move(waiting_.front());
    waiting_.pop_front();
    TellAll(lock, change);
  }
}

// A watch may be added or removed during a call, so the next one is looked up by its id each time.
void Watchers::State::TellAll(std::unique_lock<std::mutex>& lock, const Change& change) {
  for (auto next = watches_.begin(); next != watches_.end() && !stopping_;
       next = watches_.upper_bound(being_told_)) {
    const auto& [id, watch] = *next;
    being_told_ = id;
    if (!watch.service.empty() && watch.service != change.service.name) continue;
    const auto watcher = watch.watcher;
    lock.unlock();
    (*watcher)(change);
    lock.lock();
    changed_.notify_all();
  }
  being_told_ = 0;
  changed_.notify_all();
}

Watchers::Watchers() : state_(std::make_shared<State>()) {}
Watchers::~Watchers() { state_->Stop(); }

Subscription Watchers::Add(std::string_view service, Registry::Watcher watcher) {
  const auto id = state_->Add(service, std::move(watcher));
  return Subscription([state = state_, id] { state->Remove(id); });
}

bool Watchers::Tell(Change change) { return state_->Tell(std::move(change)); }
bool Watchers::empty() const { return state_->empty(); }
bool Watchers::watches(std::string_view service) const { return state_->watches(service); }
std::vector<std::string> Watchers::services() const { return state_->services(); }

}  // namespace micro
