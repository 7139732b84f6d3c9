#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "micro/pubsub.h"
#include "micro/registry.h"

#include "pubsub/subscriber.h"

namespace micro::pubsub {

/// All subscriptions of a service.
class Subscribers {
 public:
  Subscribers(Parts parts, Publisher& publisher)
      : parts_(std::move(parts)), publisher_(publisher) {}

  /// Before the first subscription only.
  void Use(Middleware middleware) { middleware_.push_back(std::move(middleware)); }

  /// Starts it at once where the others have been started.
  Status Add(std::string topic, std::unique_ptr<internal::MessageHandler> handler,
             SubscribeOptions options);
  Status Start();
  void Leave();
  /// After Leave; false when handlers still run.
  bool Stop(TimePoint until);

  /// What a registry shows of them: those of the last topic first, as go-micro has it.
  std::vector<Endpoint> Endpoints() const;

 private:
  const Parts parts_;
  Publisher& publisher_;
  std::vector<Middleware> middleware_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  bool started_ = false;
};

}  // namespace micro::pubsub
