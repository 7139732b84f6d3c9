#pragma once

#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "micro/pubsub.h"

#include "base/call_context.h"
#include "pubsub/parts.h"

namespace micro::pubsub {

/// The path of a message that is published: encoded, labelled, through the middleware, to the
/// broker. Thread-safe.
class Publisher {
 public:
  explicit Publisher(Parts parts) : parts_(std::move(parts)) {}

  /// Before the first message only.
  void Use(Middleware middleware) { middleware_.push_back(std::move(middleware)); }

  Status Publish(std::string_view topic, const google::protobuf::Message& message,
                 const PublishOptions& options);
  Status Publish(std::string_view topic, RawMessage message, const PublishOptions& options);
  /// Past the middleware, from any thread.
  Status PublishDirectly(std::string_view topic, RawMessage message);
  Task<Status> PublishAsync(std::string topic, Result<RawMessage> message, PublishOptions options);

  /// The message as it is carried, but for what middleware and the broker add.
  Result<RawMessage> Encode(const google::protobuf::Message& message,
                            const PublishOptions& options) const;

 private:
  // What is counted of a topic.
  struct Topic {
    Counter& published;
    Counter& failed;
    const std::string* span_name;
  };
  class Sending;

  Topic& Find(std::string_view topic);
  Topic& Make(std::string_view topic);

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  const Parts parts_;
  std::vector<Middleware> middleware_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Topic, Hash, std::equal_to<>> topics_;
};

}  // namespace micro::pubsub
