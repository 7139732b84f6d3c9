#include "pubsub/publisher.h"

#include <mutex>
#include <utility>

#include "base/chain.h"
#include "broker/topic.h"

namespace micro::pubsub {
namespace {

constexpr std::string_view kProto = "application/grpc+proto";

// Topics that are counted by name; programs may well make them up as they go.
constexpr std::size_t kMostTopics = 1000;
constexpr std::string_view kOther = "other";

Failure BlockingOnLoop() {
  return FailedPrecondition(
      "with middleware around it, a message is published on an event loop by PublishAsync");
}

}  // namespace

// One message on its way out, in its publisher's frame.
class Publisher::Sending final : public Next::Step {
 public:
  Sending(Publisher& publisher, std::string_view topic, RawMessage message,
          const PublishOptions& options)
      : publisher_(publisher), message_(std::move(message)) {
    context_.path_ = topic;
    context_.metadata_ = std::move(message_.metadata);
    if (options.metadata != nullptr) context_.metadata_.Append(*options.metadata);
    if (!options.content_type.empty()) context_.metadata_.Set(kContentType, options.content_type);
    FillTrace(options.parent);
  }

  Context& context() { return context_; }

  Task<Status> Run(Context& /*context*/) override { co_return Send(); }

  // Past all middleware.
  Status Send() {
    if (!parts().broken) return parts().broken;
    if (Status connected = parts().broker->Connect(); !connected) return connected;
    Metadata& metadata = context_.metadata_;
    metadata.Set(kTopic, context_.path_);
    if (!parts().name.empty()) metadata.Set(kFromService, parts().name);
    return parts().broker->broker().Publish(
        context_.path_,
        {.metadata = std::move(context_.metadata_), .body = std::move(message_.body)});
  }

  // Once it is over: leaves counts and its span.
  Status End(Status status) {
    // What is no topic does not become a name among the metrics either.
    Topic& topic = publisher_.Find(broker::CheckTopic(context_.path_) ? context_.path_ : kOther);
    (status ? topic.published : topic.failed).Add();
    parts().observer->Add({.record = {.trace = context_.trace_,
                                      .name = topic.span_name,
                                      .start = began_,
                                      .duration = std::chrono::steady_clock::now() - began_,
                                      .code = status ? Code::kOk : status.error().code(),
                                      .kind = SpanKind::kProducer},
                           .service = parts().name,
                           .path = context_.path_,
                           .peer = {},
                           .attributes = &context_.attributes_});
    return status;
  }

 private:
  const Parts& parts() const { return publisher_.parts_; }

  // As for a call: a trace begins here only where somebody will see its beginning.
  void FillTrace(const Context* parent) {
    context_.trace_ = parent != nullptr ? observe::ChildOf(parent->trace()) : observe::NewTrace();
    if (parent == nullptr && !parts().observer->exports()) return;
    observe::Inject(context_.trace_, parent != nullptr ? &parent->metadata() : nullptr,
                    parts().trace_headers, context_.metadata_);
  }

  Publisher& publisher_;
  CallContext context_;
  RawMessage message_;
  const TimePoint began_ = std::chrono::steady_clock::now();
};

Result<RawMessage> Publisher::Encode(const google::protobuf::Message& message,
                                     const PublishOptions& options) const {
  const std::string_view content_type =
      options.content_type.empty() ? kProto : options.content_type;
  const Codec* codec = parts_.codecs.Find(content_type);
  if (codec == nullptr) {
    return InvalidArgument("no codec for content type " + std::string(content_type) +
                           "; known: " + parts_.codecs.Known());
  }
  RawMessage raw;
  raw.metadata.Add(kContentType, content_type);
  if (Status encoded = codec->Encode(message, raw.body); !encoded) return Failure(encoded.error());
  return raw;
}

Status Publisher::Publish(std::string_view topic, const google::protobuf::Message& message,
                          const PublishOptions& options) {
  auto encoded = Encode(message, options);
  if (!encoded) return Failure(encoded.error());
  return Publish(topic, *std::move(encoded), options);
}

Status Publisher::Publish(std::string_view topic, RawMessage message,
                          const PublishOptions& options) {
  if (!middleware_.empty()) {
    if (EventLoop::Current() != nullptr) return BlockingOnLoop();
    return Await(parts_.runtime->NextLoop(),
                 PublishAsync(std::string(topic), std::move(message), options));
  }
  Sending sending(*this, topic, std::move(message), options);
  return sending.End(sending.Send());
}

Status Publisher::PublishDirectly(std::string_view topic, RawMessage message) {
  Sending sending(*this, topic, std::move(message), {});
  return sending.End(sending.Send());
}

Task<Status> Publisher::PublishAsync(std::string topic, Result<RawMessage> message,
                                     PublishOptions options) {
  if (!message) co_return Failure(std::move(message.error()));
  Sending sending(*this, topic, *std::move(message), options);
  Chain chain;
  Status status;
  try {
    status = co_await chain.Run(middleware_, sending, sending.context());
  } catch (...) {
    status = Fails(internal::FromException(std::current_exception()));
  }
  co_return sending.End(std::move(status));
}

Publisher::Topic& Publisher::Find(std::string_view topic) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = topics_.find(topic); found != topics_.end()) return found->second;
  }
  const std::unique_lock lock(mutex_);
  if (const auto found = topics_.find(topic); found != topics_.end()) return found->second;
  if (topics_.size() < kMostTopics) return Make(topic);
  const auto other = topics_.find(kOther);
  return other != topics_.end() ? other->second : Make(kOther);
}

Publisher::Topic& Publisher::Make(std::string_view topic) {
  Metrics& metrics = parts_.observer->metrics();
  const Metrics::Labels labels = {{"topic", std::string(topic)}};
  const auto made = topics_.emplace(
      topic,
      Topic{.published = metrics.GetCounter("micro_messages_published_total",
                                            "Messages that were handed to the broker", labels),
            .failed = metrics.GetCounter("micro_messages_publish_failed_total",
                                         "Messages that could not be published", labels),
            .span_name = parts_.observer->Keep("Pub to " + std::string(topic))});
  return made.first->second;
}

}  // namespace micro::pubsub
