#include "events/jetstream/consumer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <ctime>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/uuid.h"

namespace micro::jetstream {
namespace {

using Json = nlohmann::json;

struct FreeMessage {
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
};

// Events that are asked for at a time at the most, and for how long.
constexpr std::size_t kMostBatch = 64;
constexpr std::chrono::milliseconds kAsk{5'000};
// Before the server is asked again after an error.
constexpr std::chrono::milliseconds kPause{250};
// How long the server keeps a consumer without a group that nobody hears of.
constexpr std::chrono::minutes kForgotten{5};
// For an answer to arrive.
constexpr std::chrono::milliseconds kConfirm{5'000};

// Subjects of one group are consumers of their own at the server, whose names have no dots.
std::string NameOf(const std::string& group, const std::string& topic) {
  if (group.empty()) return "micro-" + RandomUuid();
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : topic) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  std::array<char, 16> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16);
  return group + "_" + std::string(digits.data(), written.ptr);
}

// JetStream's acknowledgements: words that are sent to the reply subject of a message. They are
// sent by hand, as libnats's own messages do not outlive their subscription.
class Answer final : public EventDelivery::Answer {
 public:
  Answer(ConnectionPtr connection, std::string reply)
      : connection_(std::move(connection)), reply_(std::move(reply)) {}

  Status Ack() override { return Once("+ACK"); }
  Status Discard() override { return Once("+TERM"); }
  Status Nack(Duration delay) override {
    if (delay <= Duration::zero()) return Once("-NAK");
    return Once("-NAK {\"delay\": " + std::to_string(delay.count()) + "}");
  }
  Status Extend() override { return answered_.load() ? Ok() : Confirm("+WPI"); }

 private:
  Status Once(const std::string& word) { return answered_.exchange(true) ? Ok() : Confirm(word); }

  Status Confirm(const std::string& word) const {
    natsMsg* confirmation = nullptr;
    const natsStatus status = natsConnection_RequestString(
        &confirmation, connection_->get(), reply_.c_str(), word.c_str(), kConfirm.count());
    natsMsg_Destroy(confirmation);
    if (status == NATS_OK) return Ok();
    return Unavailable("the answer to an event was not confirmed: " + Why(status));
  }

  const ConnectionPtr connection_;
  const std::string reply_;
  std::atomic<bool> answered_{false};
};

// As RFC 3339 has it, with nanoseconds.
std::string TimeText(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  const std::string rest = std::to_string(Duration(time - seconds).count() + 1'000'000'000);
  return std::string(text.data(), size) + rest.substr(1) + "Z";
}

void ReadMetadata(natsMsg* message, Metadata& metadata) {
  const char** keys = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(message, &keys, &count) != NATS_OK) return;
  for (int i = 0; i < count; ++i) {
    const std::string_view key = keys[i];
    const char* value = nullptr;
    if (key.starts_with("Nats-") || natsMsgHeader_Get(message, keys[i], &value) != NATS_OK)
      continue;
    metadata.Set(key, value == nullptr ? "" : value);
  }
  free(keys);  // NOLINT(bugprone-multi-level-implicit-pointer-conversion): libnats's array
}

}  // namespace

Consumer::Consumer(std::shared_ptr<Link> link, const std::string& topic, ConsumeOptions options,
                   Events::Consumer consumer)
    : link_(std::move(link)),
      options_(std::move(options)),
      consumer_(std::move(consumer)),
      subject_(link_->SubjectOf(topic)),
      name_(NameOf(options_.group, topic)) {}

Status Consumer::Start() {
  if (Status opened = Open(); !opened) return opened;
  thread_ = std::thread([this] { Run(); });
  return Ok();
}

void Consumer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stop_, true)) return;
    natsSubscription_Unsubscribe(subscription_);  // ends a wait for events
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  Close();
  if (!options_.group.empty() || !connection_) return;
  js_DeleteConsumer(connection_->js, link_->config().stream.c_str(), name_.c_str(), nullptr,
                    nullptr);
}

Status Consumer::Open() {
  auto connection = link_->Get();
  if (!connection) return Failure(connection.error());
  connection_ = *std::move(connection);
  if (Status found = FindGroup(*connection_); !found) return found;
  return Listen(*connection_);
}

Status Consumer::FindGroup(const Connection& connection) {
  jsConsumerInfo* info = nullptr;
  const natsStatus status = js_GetConsumerInfo(&info, connection.js, link_->config().stream.c_str(),
                                               name_.c_str(), nullptr, nullptr);
  jsConsumerInfo_Destroy(info);
  if (status == NATS_OK) return Ok();
  if (status == NATS_NOT_FOUND) return MakeGroup(connection);
  return Unavailable("cannot ask for the consumers of " + link_->config().stream + ": " +
                     Why(status));
}

// By JetStream's own request: libnats 3.4 writes a start time with less than a tenth of a second
// behind its seconds wrongly.
Status Consumer::MakeGroup(const Connection& connection) {
  const std::string& stream = link_->config().stream;
  const std::string subject = "$JS.API.CONSUMER.DURABLE.CREATE." + stream + "." + name_;
  const std::string request = Json({{"stream_name", stream}, {"config", Config()}}).dump();
  natsMsg* made = nullptr;
  const natsStatus status = natsConnection_RequestString(&made, connection.get(), subject.c_str(),
                                                         request.c_str(), kConfirm.count());
  const std::unique_ptr<natsMsg, FreeMessage> answer(made);
  if (status != NATS_OK)
    return Unavailable("cannot make the consumer " + name_ + ": " + Why(status));
  const std::string_view text(natsMsg_GetData(made),
                              static_cast<std::size_t>(natsMsg_GetDataLength(made)));
  const Json said = Json::parse(text, nullptr, false);
  if (said.is_object() && !said.contains("error")) return Ok();
  return Unavailable("cannot make the consumer " + name_ + ": " + std::string(text));
}

nlohmann::json Consumer::Config() const {
  Json config = {
      {"durable_name", name_},
      {"filter_subject", subject_},
      {"ack_policy", "explicit"},
      {"ack_wait", options_.ack_wait.count()},
      {"max_deliver",
       options_.max_attempts > 0 ? static_cast<std::int64_t>(options_.max_attempts) : -1},
      {"max_ack_pending", options_.max_unanswered},
      {"replay_policy", "instant"}};
  if (options_.group.empty()) config["inactive_threshold"] = Duration(kForgotten).count();
  const bool goes_on = options_.group.empty() && last_ > 0;
  const EventStart start = goes_on ? EventStart::At(last_ + 1) : options_.start;
  switch (start.kind) {
    case EventStart::Kind::kFirst:
      config["deliver_policy"] = "all";
      break;
    case EventStart::Kind::kNew:
      config["deliver_policy"] = "new";
      break;
    case EventStart::Kind::kSequence:
      config["deliver_policy"] = "by_start_sequence";
      config["opt_start_seq"] = std::max<std::uint64_t>(start.sequence, 1);
      break;
    case EventStart::Kind::kTime:
      config["deliver_policy"] = "by_start_time";
      config["opt_start_time"] = TimeText(start.time);
      break;
  }
  return config;
}

Status Consumer::Listen(const Connection& connection) {
  jsSubOptions options;
  jsSubOptions_Init(&options);
  options.Stream = link_->config().stream.c_str();
  options.Consumer = name_.c_str();
  natsSubscription* made = nullptr;
  const natsStatus status = js_PullSubscribe(&made, connection.js, subject_.c_str(), name_.c_str(),
                                             nullptr, &options, nullptr);
  if (status != NATS_OK)
    return Unavailable("cannot listen to the consumer " + name_ + ": " + Why(status));
  const std::lock_guard lock(mutex_);
  subscription_ = made;
  return Ok();
}

void Consumer::Close() {
  natsSubscription* old = nullptr;
  {
    const std::lock_guard lock(mutex_);
    old = std::exchange(subscription_, nullptr);
  }
  natsSubscription_Destroy(old);
}

bool Consumer::stopped() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool Consumer::Pause() {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, kPause, [this] { return stop_; });
}

void Consumer::Run() {
  while (!stopped()) {
    const natsStatus status = Fetch();
    if (status == NATS_OK || status == NATS_TIMEOUT) continue;
    if (!Pause()) break;
    // Whatever it was: the connection, the subscription or the group may have gone.
    Complain(Why(status));
    Close();
    if (Status opened = Open(); !opened) Complain(opened.error().detail());
  }
  nats_ReleaseThreadMemory();
}

natsStatus Consumer::Fetch() {
  natsSubscription* subscription = nullptr;
  {
    const std::lock_guard lock(mutex_);
    subscription = subscription_;
  }
  if (subscription == nullptr) return NATS_INVALID_SUBSCRIPTION;
  natsMsgList list{};
  const auto batch = static_cast<int>(std::min(batch_, options_.max_unanswered));
  const natsStatus status =
      natsSubscription_Fetch(&list, subscription, batch, kAsk.count(), nullptr);
  const TimePoint arrived = std::chrono::steady_clock::now();
  for (int i = 0; i < list.Count; ++i) HandOut(list.Msgs[i], arrived);
  natsMsgList_Destroy(&list);
  // As many as are dealt with well within their time.
  const bool quick = std::chrono::steady_clock::now() - arrived < options_.ack_wait / 8;
  batch_ = quick ? std::min(batch_ * 2, kMostBatch) : std::max<std::size_t>(batch_ / 4, 1);
  return status;
}

// Those behind a slow one in their batch have used up some of their time: the server is told that
// they are in work, and those that it has given up are left to whom it hands them next.
void Consumer::HandOut(natsMsg* message, TimePoint arrived) {
  auto event = Read(message);
  if (!event) return;
  const char* reply = natsMsg_GetReply(message);
  auto answer = std::make_shared<Answer>(connection_, reply == nullptr ? "" : reply);
  if (stopped()) return (void)answer->Nack({});
  const Duration waited = std::chrono::steady_clock::now() - arrived;
  if (waited > options_.ack_wait / 10 * 9) return;
  if (waited > options_.ack_wait / 4 && !answer->Extend()) return;
  last_ = event->sequence;
  consumer_({*std::move(event), std::move(answer)});
}

std::optional<StoredEvent> Consumer::Read(natsMsg* message) const {
  jsMsgMetaData* about = nullptr;
  if (natsMsg_GetMetaData(&about, message) != NATS_OK) return std::nullopt;
  StoredEvent event;
  event.sequence = about->Sequence.Stream;
  event.attempt = about->NumDelivered;
  event.time = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(Duration(about->Timestamp)));
  jsMsgMetaData_Destroy(about);
  event.topic =
      std::string_view(natsMsg_GetSubject(message)).substr(link_->config().stream.size() + 1);
  event.message.body.assign(natsMsg_GetData(message),
                            static_cast<std::size_t>(natsMsg_GetDataLength(message)));
  ReadMetadata(message, event.message.metadata);
  return event;
}

void Consumer::Complain(const std::string& why) {
  const auto& logger = link_->config().server.logger;
  if (!logger || !complaining_.Pass(std::chrono::steady_clock::now())) return;
  logger->Write(LogLevel::kWarn, "events on " + subject_ + " do not come, trying again: " + why);
}

}  // namespace micro::jetstream
