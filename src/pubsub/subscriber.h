#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "micro/pubsub.h"

#include "base/throttle.h"
#include "pubsub/delivery.h"
#include "pubsub/parts.h"
#include "pubsub/publisher.h"

namespace micro::pubsub {

/// One subscription: what has arrived waits in bounded lines, and is handled on loops.
///
/// Kept alive by its own work; between Start and the return of Stop it may call whatever it was
/// made from.
class Subscriber final : public std::enable_shared_from_this<Subscriber> {
 public:
  Subscriber(const Parts& parts, Publisher& publisher, const std::vector<Middleware>& middleware,
             std::string topic, SubscribeOptions options,
             std::unique_ptr<internal::MessageHandler> handler);

  ~Subscriber();

  /// Whether it can be started; INVALID_ARGUMENT says why not.
  static Status Check(const std::string& topic, const SubscribeOptions& options);

  const std::string& topic() const { return topic_; }
  const SubscribeOptions& options() const { return options_; }
  const internal::MessageHandler& handler() const { return *handler_; }

  /// Begins to receive.
  Status Start();
  /// Receives no more; what has arrived is still handled.
  void Leave();
  /// After Leave: waits until all has been handled, up to `until`; then drops what waits and
  /// cancels what is under way. False when handlers still run, because they do not heed that.
  bool Stop(TimePoint until);

 private:
  // Messages that are handled in the order of arrival, by as many coroutines as `most` says.
  struct Lane {
    std::deque<Arrival> waiting;
    std::size_t running = 0;
    std::size_t most = 1;
    EventLoop* loop = nullptr;  // null: any
  };
  struct Counts;

  void Receive(std::string_view topic, RawMessage message);
  Lane& LaneFor(const RawMessage& message);
  bool MakeRoom(std::size_t bytes, Lane& lane);
  void CountDrop(std::string_view reason);
  std::optional<Arrival> Take(Lane& lane);
  static internal::Detached Pump(std::shared_ptr<Subscriber> self, Lane& lane);
  void Began(Delivery& delivery);
  void Ended(Delivery& delivery, const Status& status);
  void Complain(Delivery& delivery, const Error& error);
  void Bury(const Delivery& delivery, const Error& error);
  bool WaitIdle(TimePoint until);
  std::size_t Abandon();
  void CancelOn(const EventLoop& loop);

  const Parts& parts_;
  Publisher& publisher_;
  const std::vector<Middleware>& middleware_;
  const std::string topic_;
  const SubscribeOptions options_;
  const std::unique_ptr<internal::MessageHandler> handler_;
  const std::unique_ptr<Counts> counts_;
  const std::string* span_name_;
  Subscription subscription_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<Lane> lanes_;
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t running_ = 0;  // coroutines
  bool abandoned_ = false;
  std::vector<std::pair<EventLoop*, Delivery*>> under_way_;
  Throttle dropping_;
  Throttle complaining_;
};

}  // namespace micro::pubsub
