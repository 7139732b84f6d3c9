#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "micro/broker.h"
#include "micro/codec.h"
#include "micro/middleware.h"
#include "micro/pubsub.h"
#include "micro/runtime.h"

#include "observe/observer.h"
#include "observe/trace.h"

namespace micro::pubsub {

/// A broker that is connected to when somebody first publishes or subscribes.
class LazyBroker {
 public:
  explicit LazyBroker(std::shared_ptr<Broker> broker) : broker_(std::move(broker)) {}

  Broker& broker() { return *broker_; }
  bool used() const { return used_.load(std::memory_order_acquire); }

  Status Connect() {
    if (!used()) {
      const std::lock_guard lock(mutex_);
      if (!used()) connected_ = broker_->Connect();
      used_.store(true, std::memory_order_release);
    }
    return connected_;
  }

  /// Once nobody uses it any more, or with nobody else to use it.
  void Disconnect(Duration grace) {
    const std::lock_guard lock(mutex_);
    if (used() && !std::exchange(ended_, true)) broker_->Disconnect(grace);
  }

 private:
  const std::shared_ptr<Broker> broker_;
  std::mutex mutex_;
  std::atomic<bool> used_{false};
  Status connected_;
  bool ended_ = false;
};

/// What publishing and subscribing stand on.
struct Parts {
  std::string name;  ///< of this service
  Runtime* runtime = nullptr;
  std::shared_ptr<LazyBroker> broker;
  Codecs codecs;
  observe::TraceHeaders trace_headers = {};
  std::shared_ptr<observe::Observer> observer = std::make_shared<observe::Observer>();
  Status broken = {};  ///< why nothing can be published, when the rest could not be made
};

// Keys of go-micro's, and those of a dead letter.
inline constexpr std::string_view kContentType = "content-type";
inline constexpr std::string_view kTopic = "micro-topic";
inline constexpr std::string_view kFromService = "micro-from-service";
inline constexpr std::string_view kError = "micro-error";
inline constexpr std::string_view kErrorCode = "micro-error-code";
inline constexpr std::string_view kDeadLetterOf = "micro-dead-letter-of";

}  // namespace micro::pubsub
