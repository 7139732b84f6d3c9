#include "pubsub/delivery.h"

#include <utility>

namespace micro::pubsub {
namespace {

// go-micro's default for what says nothing: protobuf.
constexpr std::string_view kDefaultType = "application/grpc";

// Until a worker thread is looked for again, when there was none.
constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kLongestPause{50};

}  // namespace

Delivery::Delivery(const Parts& parts, internal::MessageHandler& handler, Arrival arrival)
    : parts_(parts), handler_(handler), arrival_(std::move(arrival)) {
  context_.service_ = parts.name;
  context_.path_ = arrival_.topic;
  context_.metadata_ = arrival_.message.metadata;
  context_.metadata_.Remove(kContentType);
  context_.trace_ = observe::Continue(context_.metadata_);
}

Status Delivery::Decode(google::protobuf::Message& message) {
  const std::string_view type = raw().metadata.Get(kContentType).value_or(kDefaultType);
  const Codec* codec = parts_.codecs.Find(type);
  if (codec == nullptr) {
    return InvalidArgument("no codec for content type " + std::string(type) +
                           "; known: " + parts_.codecs.Known());
  }
  return codec->Decode(raw().body, message);
}

// Nobody waits for an answer, as the caller of a method does: a message waits for its thread.
Task<Status> Delivery::Offload(std::move_only_function<void()> work) {
  Duration pause = kFirstPause;
  while (!context_.cancelled()) {
    const Status offloaded = co_await micro::Offload(*parts_.runtime, [&work] { work(); });
    if (offloaded) co_return Ok();
    co_await Sleep(pause);
    pause = std::min<Duration>(pause * 2, kLongestPause);
  }
  co_return Cancelled("the program ends, and no worker thread was free for the message");
}

Task<Status> Delivery::Run(const std::vector<Middleware>& middleware) {
  Status status;
  try {
    status = co_await chain_.Run(middleware, *this, context_);
  } catch (...) {
    Error error = internal::FromException(std::current_exception());
    parts_.runtime->logger().Write(
        LogLevel::kError, "the handler of messages on " + topic() + " threw: " + error.detail());
    status = Fails(std::move(error));
  }
  co_return status;
}

void Delivery::Observe(const std::string* span_name, Code code) {
  parts_.observer->Add({.record = {.trace = context_.trace_,
                                   .name = span_name,
                                   .start = began_,
                                   .duration = std::chrono::steady_clock::now() - began_,
                                   .code = code,
                                   .kind = SpanKind::kConsumer},
                        .service = context_.service_,
                        .path = context_.path_,
                        .peer = {},
                        .attributes = &context_.attributes_});
}

}  // namespace micro::pubsub
