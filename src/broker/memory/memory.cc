#include "broker/memory/memory.h"

#include <atomic>
#include <map>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/dice.h"
#include "base/misconfigured.h"
#include "broker/message.h"
#include "broker/recipient.h"
#include "broker/topic.h"

namespace micro {
namespace {

using broker::Recipient;
using broker::RecipientPtr;

// Who is subscribed; not changed once it is made.
struct Table {
  std::unordered_map<std::string, std::vector<RecipientPtr>> topics;
  std::vector<RecipientPtr> patterns;

  std::vector<RecipientPtr> Find(const std::string& topic) const {
    std::vector<RecipientPtr> found;
    if (const auto named = topics.find(topic); named != topics.end()) found = named->second;
    for (const RecipientPtr& one : patterns) {
      if (broker::Matches(one->filter().topic, topic)) found.push_back(one);
    }
    return found;
  }
};

// Hands a message to one member of a group, beginning anywhere.
void TakeOne(const std::vector<RecipientPtr>& members, std::string_view topic,
             const RawMessage& message) {
  const std::size_t first = Dice::OfThread().Below(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[(first + i) % members.size()]->Take(topic, message)) return;
  }
}

}  // namespace

class MemoryBus {
 public:
  void Add(const RecipientPtr& recipient) {
    const std::lock_guard lock(mutex_);
    auto table = std::make_shared<Table>(*table_);
    const std::string& topic = recipient->filter().topic;
    auto& row = broker::IsPattern(topic) ? table->patterns : table->topics[topic];
    row.push_back(recipient);
    table_ = std::move(table);
  }

  void Remove(const RecipientPtr& recipient) {
    const std::lock_guard lock(mutex_);
    auto table = std::make_shared<Table>(*table_);
    std::erase(table->patterns, recipient);
    if (const auto row = table->topics.find(recipient->filter().topic);
        row != table->topics.end() && std::erase(row->second, recipient) > 0 &&
        row->second.empty()) {
      table->topics.erase(row);
    }
    table_ = std::move(table);
  }

  void Publish(const std::string& topic, RawMessage message) const {
    std::vector<RecipientPtr> takers = table()->Find(topic);
    std::map<std::string_view, std::vector<RecipientPtr>> groups;
    std::erase_if(takers, [&](const RecipientPtr& one) {
      const std::string& queue = one->filter().queue;
      if (!queue.empty()) groups[queue].push_back(one);
      return !queue.empty();
    });
    for (const auto& [queue, members] : groups) TakeOne(members, topic, message);
    if (takers.empty()) return;
    for (const RecipientPtr& taker : std::span(takers).first(takers.size() - 1)) {
      taker->Take(topic, message);
    }
    takers.back()->Take(topic, std::move(message));
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
    auto recipient = std::make_shared<Recipient>(filter, std::move(receiver));
    const std::lock_guard lock(mutex_);
    if (ended_.load()) return broker::Disconnected();
    recipients_.push_back(recipient);
    bus_->Add(recipient);
    return Subscription([bus = bus_, recipient] { End(*bus, recipient); });
  }

  void Disconnect(Duration /*grace*/) override {
    std::vector<std::weak_ptr<Recipient>> recipients;
    {
      const std::lock_guard lock(mutex_);
      ended_.store(true);
      recipients.swap(recipients_);
    }
    for (const auto& one : recipients) {
      if (const RecipientPtr recipient = one.lock()) End(*bus_, recipient);
    }
  }

 private:
  static void End(MemoryBus& bus, const RecipientPtr& recipient) {
    bus.Remove(recipient);
    recipient->End();
  }

  const std::shared_ptr<MemoryBus> bus_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Recipient>> recipients_;
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
