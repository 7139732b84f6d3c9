#include "events/memory/memory.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/misconfigured.h"
#include "base/uuid.h"
#include "broker/topic.h"
#include "events/check.h"

namespace micro {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

TimePoint Now() { return std::chrono::steady_clock::now(); }

// An event that is out, to one member of a group.
struct Out {
  std::uint64_t attempt = 1;
  TimePoint due = TimePoint::max();  // to go out again
  bool held = true;                  // by somebody who has yet to answer
};

// How far a group is.
struct Group {
  std::string topic;
  ConsumeOptions options;
  std::uint64_t next = 0;  // the first sequence that was never out
  std::map<std::uint64_t, Out> out;
};
using GroupPtr = std::shared_ptr<Group>;

}  // namespace

class EventLog : public std::enable_shared_from_this<EventLog> {
 public:
  Stored Append(std::string_view topic, RawMessage message, const std::string& id,
                const EventsConfig& limits) {
    const std::lock_guard lock(mutex_);
    ForgetIds(Now());
    if (const auto known = ids_.find(id); known != ids_.end()) return {known->second, true};
    const std::uint64_t sequence = first_ + events_.size();
    StoredEvent event{.topic = std::string(topic),
                      .message = std::move(message),
                      .sequence = sequence,
                      .time = std::chrono::system_clock::now()};
    bytes_ += BytesOf(event);
    events_.push_back(std::move(event));
    ids_.emplace(id, sequence);
    id_ages_.emplace_back(Now() + limits.duplicates, id);
    Trim(limits);
    changed_.notify_all();
    return {sequence, false};
  }

  GroupPtr Join(const std::string& topic, const ConsumeOptions& options) {
    const std::lock_guard lock(mutex_);
    if (options.group.empty()) return MakeGroup(topic, options);
    GroupPtr& group = groups_[{options.group, topic}];
    if (!group) group = MakeGroup(topic, options);
    return group;
  }

  // Waits for the next event for a member of `group`; nothing once `stop` is set.
  std::optional<StoredEvent> Next(Group& group, const std::atomic<bool>& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.load()) {
      if (auto event = Again(group)) return event;
      if (auto event = Fresh(group)) return event;
      const TimePoint due = EarliestDue(group);
      if (due == TimePoint::max()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, due);
      }
    }
    return std::nullopt;
  }

  void Wake() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

  // What an answer does to an event that is out still; one that came too late does nothing.
  template <typename Change>
  void Settle(Group& group, std::uint64_t sequence, std::uint64_t attempt, Change change) {
    const std::lock_guard lock(mutex_);
    const auto out = group.out.find(sequence);
    if (out == group.out.end() || out->second.attempt != attempt || !out->second.held) return;
    change(out);
    changed_.notify_all();
  }

 private:
  static std::size_t BytesOf(const StoredEvent& event) {
    return event.topic.size() + event.message.body.size() + event.message.metadata.bytes();
  }

  GroupPtr MakeGroup(const std::string& topic, const ConsumeOptions& options) const {
    auto group = std::make_shared<Group>();
    group->topic = topic;
    group->options = options;
    group->next = Begin(options.start);
    return group;
  }

  std::uint64_t Begin(const EventStart& start) const {
    switch (start.kind) {
      case EventStart::Kind::kFirst:
        return first_;
      case EventStart::Kind::kNew:
        return first_ + events_.size();
      case EventStart::Kind::kSequence:
        return start.sequence;
      case EventStart::Kind::kTime:
        break;
    }
    const auto at = std::ranges::lower_bound(events_, start.time, {}, &StoredEvent::time);
    return first_ + static_cast<std::uint64_t>(at - events_.begin());
  }

  void ForgetIds(TimePoint now) {
    while (!id_ages_.empty() && id_ages_.front().first <= now) {
      ids_.erase(id_ages_.front().second);
      id_ages_.pop_front();
    }
  }

  void Trim(const EventsConfig& limits) {
    const SystemTime oldest =
        limits.max_age > Duration::zero()
            ? std::chrono::system_clock::now() -
                  std::chrono::duration_cast<std::chrono::system_clock::duration>(limits.max_age)
            : SystemTime::min();
    while (events_.size() > 1 &&
           ((limits.max_bytes > 0 && bytes_ > limits.max_bytes) || events_.front().time < oldest)) {
      bytes_ -= BytesOf(events_.front());
      events_.pop_front();
      ++first_;
    }
  }

  const StoredEvent* Find(std::uint64_t sequence) const {
    if (sequence < first_ || sequence - first_ >= events_.size()) return nullptr;
    return &events_[sequence - first_];
  }

  // What is to go out again. What was out often enough, or is kept no more, is given up.
  std::optional<StoredEvent> Again(Group& group) {
    for (auto out = group.out.begin(); out != group.out.end();) {
      auto& [sequence, state] = *out;
      const StoredEvent* event = Find(sequence);
      const std::uint64_t most = group.options.max_attempts;
      if (state.due > Now()) {
        ++out;
      } else if (event == nullptr || (most > 0 && state.attempt >= most)) {
        out = group.out.erase(out);
      } else {
        state = {.attempt = state.attempt + 1, .due = Now() + group.options.ack_wait};
        StoredEvent again = *event;
        again.attempt = state.attempt;
        return again;
      }
    }
    return std::nullopt;
  }

  std::optional<StoredEvent> Fresh(Group& group) {
    if (group.out.size() >= group.options.max_unanswered) return std::nullopt;
    group.next = std::max(group.next, first_);
    while (const StoredEvent* event = Find(group.next)) {
      ++group.next;
      if (!broker::Matches(group.topic, event->topic)) continue;
      group.out[event->sequence] = {.attempt = 1, .due = Now() + group.options.ack_wait};
      return *event;
    }
    return std::nullopt;
  }

  static TimePoint EarliestDue(const Group& group) {
    TimePoint due = TimePoint::max();
    for (const auto& [sequence, out] : group.out) due = std::min(due, out.due);
    return due;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StoredEvent> events_;
  std::uint64_t first_ = 1;  // the sequence of the front
  std::size_t bytes_ = 0;
  std::map<std::string, std::uint64_t> ids_;
  std::deque<std::pair<TimePoint, std::string>> id_ages_;
  std::map<std::pair<std::string, std::string>, GroupPtr> groups_;
};

namespace {

class MemoryAnswer final : public EventDelivery::Answer {
 public:
  MemoryAnswer(std::shared_ptr<EventLog> log, GroupPtr group, const StoredEvent& event)
      : log_(std::move(log)),
        group_(std::move(group)),
        sequence_(event.sequence),
        attempt_(event.attempt) {}

  Status Ack() override {
    return Settle([this](auto out) { group_->out.erase(out); });
  }
  Status Discard() override { return Ack(); }
  Status Extend() override {
    return Settle([this](auto out) { out->second.due = Now() + group_->options.ack_wait; });
  }
  Status Nack(Duration delay) override {
    return Settle([delay](auto out) {
      out->second.held = false;
      out->second.due = Now() + delay;
    });
  }

 private:
  template <typename Change>
  Status Settle(Change change) {
    log_->Settle(*group_, sequence_, attempt_, change);
    return Ok();
  }

  const std::shared_ptr<EventLog> log_;
  const GroupPtr group_;
  const std::uint64_t sequence_;
  const std::uint64_t attempt_;
};

// One consumer and its thread.
class MemoryConsumer {
 public:
  MemoryConsumer(std::shared_ptr<EventLog> log, GroupPtr group, Events::Consumer consumer)
      : log_(std::move(log)), group_(std::move(group)), consumer_(std::move(consumer)) {
    thread_ = std::thread([this] { Run(); });
  }
  MemoryConsumer(const MemoryConsumer&) = delete;
  MemoryConsumer& operator=(const MemoryConsumer&) = delete;
  ~MemoryConsumer() { Stop(); }

  void Stop() {
    stop_.store(true);
    log_->Wake();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run() {
    while (auto event = log_->Next(*group_, stop_)) {
      auto answer = std::make_shared<MemoryAnswer>(log_, group_, *event);
      consumer_({*std::move(event), std::move(answer)});
    }
  }

  const std::shared_ptr<EventLog> log_;
  const GroupPtr group_;
  const Events::Consumer consumer_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class MemoryEvents final : public Events {
 public:
  MemoryEvents(std::shared_ptr<EventLog> log, EventsConfig limits)
      : log_(std::move(log)), limits_(std::move(limits)) {}

  std::string_view name() const override { return "memory"; }
  Status Connect() override { return Ok(); }

  Result<Stored> Append(std::string_view topic, RawMessage message,
                        AppendOptions options) override {
    if (Status checked = events::Check(topic, message, options); !checked) {
      return Failure(checked.error());
    }
    const std::string id = options.id.empty() ? RandomUuid() : std::string(options.id);
    return log_->Append(topic, std::move(message), id, limits_);
  }

  Result<Subscription> Consume(const std::string& topic, ConsumeOptions options,
                               Consumer consumer) override {
    if (Status checked = events::Check(topic, options); !checked) return Failure(checked.error());
    auto made =
        std::make_shared<MemoryConsumer>(log_, log_->Join(topic, options), std::move(consumer));
    return Subscription([made] { made->Stop(); });
  }

 private:
  const std::shared_ptr<EventLog> log_;
  const EventsConfig limits_;
};

}  // namespace

std::shared_ptr<EventLog> MakeEventLog() { return std::make_shared<EventLog>(); }

Result<std::shared_ptr<Events>> MakeMemoryEvents(std::shared_ptr<EventLog> log,
                                                 const EventsConfig& config) {
  if (!config.server.addresses.empty()) {
    return Misconfigured("events in memory have no server, and an address was given: \"" +
                         config.server.addresses.front() + '"');
  }
  return std::make_shared<MemoryEvents>(std::move(log), config);
}

}  // namespace micro
