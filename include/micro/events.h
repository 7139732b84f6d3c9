#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "micro/broker.h"
#include "micro/duration.h"
#include "micro/error.h"
#include "micro/registry.h"

namespace micro {

/// An event as it is kept.
struct StoredEvent {
  std::string topic{};
  RawMessage message{};
  std::uint64_t sequence = 0;  ///< its place among all events; they rise, and may have gaps
  std::chrono::system_clock::time_point time{};  ///< when it was stored
  std::uint64_t attempt = 1;  ///< how often it has been handed to this group, this time included
};

/// Where an event was stored.
struct Stored {
  std::uint64_t sequence = 0;
  bool duplicate = false;  ///< whether it was there already, under the same id
};

/// An event that was handed out, and what is to become of it. Without an answer it is handed out
/// again once ConsumeOptions::ack_wait has passed, to any member of the group. Thread-safe;
/// answered once, later answers do nothing.
class EventDelivery {
 public:
  /// How an answer travels; an implementation's.
  class Answer {
   public:
    virtual ~Answer() = default;
    virtual Status Ack() = 0;
    virtual Status Nack(Duration delay) = 0;
    virtual Status Extend() = 0;
    virtual Status Discard() = 0;
  };

  EventDelivery(StoredEvent event, std::shared_ptr<Answer> answer)
      : event_(std::move(event)), answer_(std::move(answer)) {}

  const StoredEvent& event() const { return event_; }

  /// It is done with. Returns when the store has it in writing; UNAVAILABLE when it may not have.
  Status Ack() const { return answer_->Ack(); }
  /// It is to be handed out again, no sooner than `delay` from now.
  Status Nack(Duration delay = {}) const { return answer_->Nack(delay); }
  /// Work on it goes on: ack_wait begins anew.
  Status Extend() const { return answer_->Extend(); }
  /// It is not to be handed out to this group again, though it was not done.
  Status Discard() const { return answer_->Discard(); }

 private:
  StoredEvent event_;
  std::shared_ptr<Answer> answer_;
};

/// How an event is published.
struct AppendOptions {
  /// What tells it from others: a second event with the same id, within the store's window, is
  /// not kept. Empty: a random one, so that what is sent again for want of an answer is kept once.
  std::string_view id = {};
  /// To be told that it is stored.
  Duration timeout = std::chrono::seconds(5);
};

/// From which event on a group is served; a group that exists goes on where it is.
struct EventStart {
  enum class Kind : std::uint8_t { kFirst, kNew, kSequence, kTime };

  static EventStart First() { return {}; }
  static EventStart New() { return {.kind = Kind::kNew, .sequence = 0, .time = {}}; }
  static EventStart At(std::uint64_t sequence) {
    return {.kind = Kind::kSequence, .sequence = sequence, .time = {}};
  }
  static EventStart At(std::chrono::system_clock::time_point time) {
    return {.kind = Kind::kTime, .sequence = 0, .time = time};
  }

  Kind kind = Kind::kFirst;
  std::uint64_t sequence = 0;
  std::chrono::system_clock::time_point time{};
};

/// How events are consumed.
struct ConsumeOptions {
  /// The group that shares the events, in whichever process; the store keeps how far it is.
  /// Letters, digits, '-' and '_'. Empty: this consumer is alone, and nothing is kept of it.
  std::string group = {};
  EventStart start = {};
  /// Time to answer for an event, before it is handed out again.
  Duration ack_wait = std::chrono::seconds(30);
  /// How often an event is handed out at the most; 0: no limit.
  std::uint64_t max_attempts = 0;
  /// Events that the group may hold unanswered.
  std::size_t max_unanswered = 1000;
};

/// Keeps what was published until it is consumed, and longer: what a Broker is not. Topics and
/// patterns are those of TopicFilter.
///
/// An event that Append has answered for is not lost, within the limits of the store, and reaches
/// each group at least once. Events of a topic are handed out in the order of their sequence; what
/// was not acknowledged comes again, later.
///
/// Thread-safe, and it never throws. Members block, and are not for event loops.
class Events {
 public:
  /// Takes an event; called on a thread of the consumer's own, one at a time. It may block; what is
  /// kept longer than ack_wait is handed out again.
  using Consumer = std::function<void(EventDelivery)>;

  virtual ~Events() = default;

  /// The name it is chosen by, such as "jetstream".
  virtual std::string_view name() const = 0;

  /// Makes sure that the store is there; the rest does so by itself. UNAVAILABLE when it is away;
  /// FAILED_PRECONDITION when what is there keeps no events.
  virtual Status Connect() = 0;

  /// Stores an event and returns when that is certain. INVALID_ARGUMENT for a topic that is none,
  /// and for metadata with line breaks; UNAVAILABLE or DEADLINE_EXCEEDED when it may, or may not,
  /// have been stored: to append it again under the same id is safe.
  virtual Result<Stored> Append(std::string_view topic, RawMessage message,
                                AppendOptions options = {}) = 0;

  /// Hands the events on `topic`, a topic or a pattern, to `consumer`, until the subscription is
  /// destroyed, which must not happen within `consumer`. A store that goes away is waited for.
  virtual Result<Subscription> Consume(const std::string& topic, ConsumeOptions options,
                                       Consumer consumer) = 0;
};

/// What an event store is made from.
struct EventsConfig {
  /// The server, where it is one: its addresses, and how it is spoken to.
  BrokerConfig server{};
  /// What the events of one fleet are kept under. Letters, digits, '-' and '_'.
  std::string stream = "micro-events";
  /// What is kept at the most; the oldest go first. Zero: no limit.
  Duration max_age = std::chrono::hours(24 * 7);
  std::uint64_t max_bytes = std::uint64_t{1} << 30U;
  /// How long ids are remembered.
  Duration duplicates = std::chrono::minutes(2);
  /// Servers that keep each event.
  std::uint64_t replicas = 1;
};

}  // namespace micro
