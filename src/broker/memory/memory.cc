#include "broker/memory/memory.h"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/dice.h"
#include "base/misconfigured.h"
#include "broker/message.h"
#include "broker/topic.h"

namespace micro {
namespace {

// One subscription. It is called without a lock, and its end waits for calls under way.
class Subscriber {
 public:
  Subscriber(TopicFilter filter, Broker::Receiver receiver)
      : filter_(std::move(filter)), receiver_(std::move(receiver)) {}

  const TopicFilter& filter() const { return filter_; }

  // False when it has ended.
  bool Take(std::string_view topic, RawMessage message) {
    calls_.fetch_add(1);
    const bool open = !ended_.load();
    if (open) receiver_(topic, std::move(message));
    if (calls_.fetch_sub(1) == 1 && ended_.load()) calls_.notify_all();
    return open;
  }

  void End() {
    ended_.store(true);
    for (std::size_t calls = calls_.load(); calls > 0; calls = calls_.load()) calls_.wait(calls);
  }

 private:
  const TopicFilter filter_;
  const Broker::Receiver receiver_;
  std::atomic<std::size_t> calls_{0};
  std::atomic<bool> ended_{false};
};

using SubscriberPtr = std::shared_ptr<Subscriber>;

// Who is subscribed; not changed once it is made.
struct Table {
  std::unordered_map<std::string, std::vector<SubscriberPtr>> topics;
  std::vector<SubscriberPtr> patterns;

  std::vector<SubscriberPtr> Find(const std::string& topic) const {
    std::vector<SubscriberPtr> found;
    if (const auto named = topics.find(topic); named != topics.end()) found = named->second;
    for (const SubscriberPtr& one : patterns) {
      if (broker::Matches(one->filter().topic, topic)) found.push_back(one);
    }
    return found;
  }
};

// Hands a message to one member of a group, beginning anywhere.
void TakeOne(const std::vector<SubscriberPtr>& members, std::string_view topic,
             const RawMessage& message) {
  const std::size_t first = Dice::OfThread().Below(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[(first + i) % members.size()]->Take(topic, message)) return;
  }
}

}  // namespace

class MemoryBus {
 public:
  void Add(const SubscriberPtr& subscriber) {
    const std::lock_guard lock(mutex_);
    auto table = std::make_shared<Table>(*table_);
    const std::string& topic = subscriber->filter().topic;
    auto& row = broker::IsPattern(topic) ? table->patterns : table->topics[topic];
    row.push_back(subscriber);
    table_ = std::move(table);
  }

  void Remove(const SubscriberPtr& subscriber) {
    const std::lock_guard lock(mutex_);
    auto table = std::make_shared<Table>(*table_);
    std::erase(table->patterns, subscriber);
    if (const auto row = table->topics.find(subscriber->filter().topic);
        row != table->topics.end() && std::erase(row->second, subscriber) > 0 &&
        row->second.empty()) {
      table->topics.erase(row);
    }
    table_ = std::move(table);
  }

  void Publish(const std::string& topic, RawMessage message) const {
    std::vector<SubscriberPtr> takers = table()->Find(topic);
    std::map<std::string_view, std::vector<SubscriberPtr>> groups;
    std::erase_if(takers, [&](const SubscriberPtr& one) {
      const std::string& queue = one->filter().queue;
      if (!queue.empty()) groups[queue].push_back(one);
      return !queue.empty();
    });
    for (const auto& [queue, members] : groups) TakeOne(members, topic, message);
    for (std::size_t i = 0; i < takers.size(); ++i) {
      takers[i]->Take(topic, i + 1 < takers.size() ? message : std::move(message));
    }
  }

 private:
  std::shared_ptr<const Table> table() const {
    const std::lock_guard lock(mutex_);
    return table_;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<const Table> table_ = std::make_shared<Table>();
};

namespace {

class MemoryBroker final : public Broker {
 public:
  explicit MemoryBroker(std::shared_ptr<MemoryBus> bus) : bus_(std::move(bus)) {}
  ~MemoryBroker() override { Disconnect(Duration::zero()); }

  std::string_view name() const override { return "memory"; }
  Status Connect() override { return Ok(); }

  Status Publish(std::string_view topic, RawMessage message) override {
    if (Status checked = broker::Check(topic, message); !checked) return checked;
    if (ended_.load()) return broker::Disconnected();
    bus_->Publish(std::string(topic), std::move(message));
    return Ok();
  }

  Result<Subscription> Subscribe(const TopicFilter& filter, Receiver receiver) override {
    if (Status checked = broker::CheckFilter(filter); !checked) return Failure(checked.error());
    auto subscriber = std::make_shared<Subscriber>(filter, std::move(receiver));
    const std::lock_guard lock(mutex_);
    if (ended_.load()) return broker::Disconnected();
    subscribers_.push_back(subscriber);
    bus_->Add(subscriber);
    return Subscription([bus = bus_, subscriber] { End(*bus, subscriber); });
  }

  void Disconnect(Duration /*grace*/) override {
    std::vector<std::weak_ptr<Subscriber>> subscribers;
    {
      const std::lock_guard lock(mutex_);
      ended_.store(true);
      subscribers.swap(subscribers_);
    }
    for (const auto& one : subscribers) {
      if (const SubscriberPtr subscriber = one.lock()) End(*bus_, subscriber);
    }
  }

 private:
  static void End(MemoryBus& bus, const SubscriberPtr& subscriber) {
    bus.Remove(subscriber);
    subscriber->End();
  }

  const std::shared_ptr<MemoryBus> bus_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Subscriber>> subscribers_;
  std::atomic<bool> ended_{false};
};

}  // namespace

std::shared_ptr<MemoryBus> MakeMemoryBus() { return std::make_shared<MemoryBus>(); }

Result<std::shared_ptr<Broker>> MakeMemoryBroker(std::shared_ptr<MemoryBus> bus,
                                                 const BrokerConfig& config) {
  if (!config.addresses.empty()) {
    return Misconfigured("the memory broker takes no address, and was given \"" +
                         config.addresses.front() + '"');
  }
  return std::make_shared<MemoryBroker>(std::move(bus));
}

}  // namespace micro
