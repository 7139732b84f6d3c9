#include "events/jetstream/jetstream.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/misconfigured.h"
#include "base/uuid.h"
#include "events/check.h"
#include "events/jetstream/consumer.h"
#include "events/jetstream/link.h"

namespace micro {
namespace {

using jetstream::ConnectionPtr;

// For one attempt at storing an event, of several within its time.
constexpr std::chrono::milliseconds kAttempt{2'000};
constexpr std::chrono::milliseconds kPause{50};

constexpr std::uint64_t kMostReplicas = 5;

struct FreeMessage {
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
};
using MessagePtr = std::unique_ptr<natsMsg, FreeMessage>;

Result<MessagePtr> MakeMessage(const std::string& subject, const RawMessage& raw) {
  natsMsg* made = nullptr;
  natsStatus status = natsMsg_Create(&made, subject.c_str(), nullptr, raw.body.data(),
                                     static_cast<int>(raw.body.size()));
  MessagePtr message(made);
  for (const auto& [key, value] : raw.metadata) {
    if (status != NATS_OK) break;
    status = natsMsgHeader_Set(made, TitleCase(key).c_str(), std::string(value).c_str());
  }
  if (status != NATS_OK) return Internal("cannot put an event together: " + jetstream::Why(status));
  return message;
}

class JetStreamEvents final : public Events {
 public:
  explicit JetStreamEvents(std::shared_ptr<jetstream::Link> link) : link_(std::move(link)) {}

  std::string_view name() const override { return "jetstream"; }

  Status Connect() override {
    auto connection = link_->Get();
    return connection ? Ok() : Failure(connection.error());
  }

  Result<Stored> Append(std::string_view topic, RawMessage message,
                        AppendOptions options) override {
    if (Status checked = events::Check(topic, message, options); !checked) {
      return Failure(checked.error());
    }
    auto made = MakeMessage(link_->SubjectOf(topic), message);
    if (!made) return Failure(made.error());
    const std::string id = options.id.empty() ? RandomUuid() : std::string(options.id);
    const TimePoint until = std::chrono::steady_clock::now() + options.timeout;
    // Leaders are elected, and connections come back: under its id an event is stored once, however
    // often it is sent.
    while (true) {
      auto stored = Attempt(made->get(), id, until - std::chrono::steady_clock::now());
      const bool again = !stored && (stored.error().code() == Code::kUnavailable ||
                                     stored.error().code() == Code::kDeadlineExceeded);
      if (!again || std::chrono::steady_clock::now() + kPause >= until) return stored;
      std::this_thread::sleep_for(kPause);
    }
  }

  Result<Subscription> Consume(const std::string& topic, ConsumeOptions options,
                               Consumer consumer) override {
    if (Status checked = events::Check(topic, options); !checked) return Failure(checked.error());
    auto made = std::make_shared<jetstream::Consumer>(link_, topic, std::move(options),
                                                      std::move(consumer));
    if (Status started = made->Start(); !started) return Failure(started.error());
    return Subscription([made] { made->Stop(); });
  }

 private:
  Result<Stored> Attempt(natsMsg* message, const std::string& id, Duration left) {
    auto connection = link_->Get();
    if (!connection) return Failure(connection.error());
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MsgId = id.c_str();
    options.MaxWait = jetstream::Milliseconds(std::min<Duration>(left, kAttempt));
    jsPubAck* ack = nullptr;
    const natsStatus status = js_PublishMsg(&ack, (*connection)->js, message, &options, nullptr);
    if (status != NATS_OK) return Failed(status);
    const Stored stored{.sequence = ack->Sequence, .duplicate = ack->Duplicate};
    jsPubAck_Destroy(ack);
    return stored;
  }

  Failure Failed(natsStatus status) const {
    const std::string why =
        "NATS at " + link_->servers() + " did not store an event: " + jetstream::Why(status);
    if (status == NATS_TIMEOUT) return DeadlineExceeded(why);
    if (status == NATS_MAX_PAYLOAD) return ResourceExhausted(why);
    const bool server_side = status == NATS_ERR;
    return server_side ? Internal(why) : Unavailable(why);
  }

  const std::shared_ptr<jetstream::Link> link_;
};

}  // namespace

Result<std::shared_ptr<Events>> MakeJetStreamEvents(const EventsConfig& config) {
  if (!events::IsName(config.stream)) {
    return Misconfigured("--events_stream: \"" + config.stream +
                         "\" is not of letters, digits, '-' and '_'");
  }
  if (config.replicas < 1 || config.replicas > kMostReplicas) {
    return Misconfigured("--events_replicas: " + std::to_string(config.replicas) +
                         " is not between 1 and " + std::to_string(kMostReplicas));
  }
  auto settings = nats::MakeSettings(config.server, "events");
  if (!settings) return Failure(settings.error());
  natsOptions_SetFailRequestsOnDisconnect(settings->options.get(), true);
  return std::make_shared<JetStreamEvents>(
      std::make_shared<jetstream::Link>(*std::move(settings), config));
}

}  // namespace micro
