#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "micro/broker.h"

namespace micro::broker {

/// A receiver that can be ended: from then on it is not called, and no call is under way. Calls
/// take no lock.
class Recipient {
 public:
  Recipient(TopicFilter filter, Broker::Receiver receiver)
      : filter_(std::move(filter)), receiver_(std::move(receiver)) {}

  const TopicFilter& filter() const { return filter_; }

  /// False when it has ended.
  bool Take(std::string_view topic, RawMessage message) {
    calls_.fetch_add(1);
    const bool open = !ended_.load();
    if (open) receiver_(topic, std::move(message));
    if (calls_.fetch_sub(1) == 1 && ended_.load()) calls_.notify_all();
    return open;
  }

  /// Waits for calls under way; not to be called within one.
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

using RecipientPtr = std::shared_ptr<Recipient>;

}  // namespace micro::broker
