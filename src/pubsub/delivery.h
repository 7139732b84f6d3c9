#pragma once

#include <vector>

#include "micro/pubsub.h"

#include "base/call_context.h"
#include "base/chain.h"
#include "pubsub/parts.h"

namespace micro::pubsub {

/// A message that came, and the topic it came on.
struct Arrival {
  std::string topic;
  RawMessage message;

  std::size_t bytes() const {
    return topic.size() + message.body.size() + message.metadata.bytes();
  }
};

/// One message that is handled: its context, and the way through the middleware to the handler.
/// Lives on one loop.
class Delivery final : public internal::Delivery, public Next::Step {
 public:
  Delivery(const Parts& parts, internal::MessageHandler& handler, Arrival arrival);

  Context& context() override { return context_; }
  const RawMessage& raw() const override { return arrival_.message; }
  const std::string& topic() const { return arrival_.topic; }
  Status Decode(google::protobuf::Message& message) override;
  Task<Status> Offload(std::move_only_function<void()> work) override;

  /// All of it; what the handler throws is INTERNAL, and logged.
  Task<Status> Run(const std::vector<Middleware>& middleware);
  /// Asks the handler to end. On this loop.
  void Cancel() { context_.Cancel(); }
  /// Since it began.
  Duration age() const { return std::chrono::steady_clock::now() - began_; }
  /// Leaves its span.
  void Observe(const std::string* span_name, Code code);

 private:
  Task<Status> Run(Context& /*context*/) override { return handler_.Handle(*this); }

  const Parts& parts_;
  internal::MessageHandler& handler_;
  Arrival arrival_;
  CallContext context_;
  Chain chain_;
  const TimePoint began_ = std::chrono::steady_clock::now();
};

}  // namespace micro::pubsub
