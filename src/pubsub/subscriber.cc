#include "pubsub/subscriber.h"

#include <algorithm>
#include <utility>

#include "broker/topic.h"

namespace micro::pubsub {
namespace {

constexpr std::size_t kMostConcurrency = 10'000;

// Messages that are handled in one turn of a loop.
constexpr int kTurn = 32;

// What a cancelled handler has to return in.
constexpr std::chrono::milliseconds kLastWait{900};

// Of an error's text, in a dead letter.
constexpr std::size_t kMostWords = 1024;

// Lets a loop do something else.
struct Breath {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) const {
    EventLoop::Current()->Post([waiting] { waiting.resume(); });
  }
  void await_resume() const {}
};

std::string Plain(std::string text) {
  if (text.size() > kMostWords) text.resize(kMostWords);
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

// What is counted of a subscription.
struct Subscriber::Counts {
  Counts(Metrics& of, const std::string& topic, const std::string& queue)
      : metrics(of), labels{{"topic", topic}, {"queue", queue}} {}

  Counter& Dropped(std::string_view reason) const {
    Metrics::Labels why = labels;
    why.emplace("reason", reason);
    return metrics.GetCounter("micro_messages_dropped_total",
                              "Messages that were not handled for want of room or time", why);
  }

  Metrics& metrics;
  const Metrics::Labels labels;
  Counter& received = metrics.GetCounter("micro_messages_received_total",
                                         "Messages that came to a subscription", labels);
  Counter& failed =
      metrics.GetCounter("micro_messages_failed_total", "Messages whose handler failed", labels);
  Counter& dead = metrics.GetCounter("micro_messages_dead_letters_total",
                                     "Failed messages that were published as dead letters", labels);
  Gauge& waiting =
      metrics.GetGauge("micro_messages_waiting", "Messages that wait to be handled", labels);
  Gauge& in_progress =
      metrics.GetGauge("micro_messages_in_progress", "Messages that are being handled", labels);
  Histogram& seconds = metrics.GetHistogram("micro_messages_handling_seconds",
                                            "Time that handling a message took", labels);
};

Status Subscriber::Check(const std::string& topic, const SubscribeOptions& options) {
  const Status filter = broker::CheckFilter({.topic = topic, .queue = options.queue});
  if (!filter) return filter;
  if (options.concurrency < 1 || options.concurrency > kMostConcurrency) {
    return InvalidArgument("the concurrency of a subscription to \"" + topic +
                           "\" is not between 1 and " + std::to_string(kMostConcurrency));
  }
  if (options.max_waiting < 1 || options.max_waiting_bytes < 1)
    return InvalidArgument("a subscription to \"" + topic + "\" needs room for a message");
  if (options.dead_letter.empty()) return Ok();
  if (Status dead = broker::CheckTopic(options.dead_letter); !dead) return dead;
  if (!broker::Matches(topic, options.dead_letter)) return Ok();
  return InvalidArgument("dead letters on \"" + options.dead_letter +
                         "\" would come back to the subscription to \"" + topic + '"');
}

Subscriber::Subscriber(const Parts& parts, Publisher& publisher,
                       const std::vector<Middleware>& middleware, std::string topic,
                       SubscribeOptions options, std::unique_ptr<internal::MessageHandler> handler)
    : parts_(parts),
      publisher_(publisher),
      middleware_(middleware),
      topic_(std::move(topic)),
      options_(std::move(options)),
      handler_(std::move(handler)),
      counts_(std::make_unique<Counts>(parts.observer->metrics(), topic_, options_.queue)),
      span_name_(parts.observer->Keep("Sub from " + topic_)) {
  const bool keyed = !options_.order_by.empty();
  lanes_.resize(keyed ? options_.concurrency : 1);
  for (Lane& lane : lanes_) {
    lane.most = keyed ? 1 : options_.concurrency;
    if (lane.most == 1) lane.loop = &parts_.runtime->NextLoop();
  }
}

Subscriber::~Subscriber() = default;

Status Subscriber::Start() {
  if (Status connected = parts_.broker->Connect(); !connected) return connected;
  auto subscription = parts_.broker->broker().Subscribe(
      {.topic = topic_, .queue = options_.queue},
      [self = shared_from_this()](std::string_view topic, RawMessage message) {
        self->Receive(topic, std::move(message));
      });
  if (!subscription) return Failure(subscription.error());
  subscription_ = *std::move(subscription);
  return Ok();
}

void Subscriber::Leave() { subscription_.Stop(); }

void Subscriber::Receive(std::string_view topic, RawMessage message) {
  counts_->received.Add();
  Arrival arrival{.topic = std::string(topic), .message = std::move(message)};
  const std::size_t bytes = arrival.bytes();
  EventLoop* loop = nullptr;
  Lane* lane = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return CountDrop("stopped");
    lane = &LaneFor(arrival.message);
    if (!MakeRoom(bytes, *lane)) return CountDrop("overflow");
    lane->waiting.push_back(std::move(arrival));
    ++waiting_;
    waiting_bytes_ += bytes;
    counts_->waiting.Add(1);
    if (lane->running == lane->most) return;
    ++lane->running;
    ++running_;
    loop = lane->loop != nullptr ? lane->loop : &parts_.runtime->NextLoop();
  }
  loop->Post([self = shared_from_this(), lane] { Pump(self, *lane); });
}

Subscriber::Lane& Subscriber::LaneFor(const RawMessage& message) {
  if (lanes_.size() == 1) return lanes_.front();
  const std::string_view key = message.metadata.Get(options_.order_by).value_or("");
  return lanes_[std::hash<std::string_view>{}(key) % lanes_.size()];
}

// What makes room is the oldest of the same lane, where there is one.
bool Subscriber::MakeRoom(std::size_t bytes, Lane& lane) {
  if (bytes > options_.max_waiting_bytes) return false;
  while (waiting_ >= options_.max_waiting || waiting_bytes_ + bytes > options_.max_waiting_bytes) {
    if (options_.overflow == Overflow::kDropNewest || lane.waiting.empty()) return false;
    CountDrop("overflow");
    --waiting_;
    waiting_bytes_ -= lane.waiting.front().bytes();
    counts_->waiting.Add(-1);
    lane.waiting.pop_front();
  }
  return true;
}

void Subscriber::CountDrop(std::string_view reason) {
  counts_->Dropped(reason).Add();
  const auto dropped = dropping_.Pass(std::chrono::steady_clock::now());
  if (!dropped) return;
  parts_.runtime->logger().Write(
      LogLevel::kWarn, "dropped " + std::to_string(*dropped) + " messages on " + topic_ +
                           ", which its handler is too slow for (" + std::string(reason) + ")");
}

// Nothing: the coroutine that asks has to end.
std::optional<Arrival> Subscriber::Take(Lane& lane) {
  const std::lock_guard lock(mutex_);
  if (lane.waiting.empty()) {
    --lane.running;
    if (--running_ == 0) idle_.notify_all();
    return std::nullopt;
  }
  Arrival arrival = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  --waiting_;
  waiting_bytes_ -= arrival.bytes();
  counts_->waiting.Add(-1);
  return arrival;
}

internal::Detached Subscriber::Pump(std::shared_ptr<Subscriber> self, Lane& lane) {
  int handled = 0;
  while (true) {
    std::optional<Arrival> arrival = self->Take(lane);
    if (!arrival) break;
    Delivery delivery(self->parts_, *self->handler_, *std::move(arrival));
    self->Began(delivery);
    const Status status = co_await delivery.Run(self->middleware_);
    self->Ended(delivery, status);
    if (++handled % kTurn == 0) co_await Breath();
  }
}

void Subscriber::Began(Delivery& delivery) {
  counts_->in_progress.Add(1);
  const std::lock_guard lock(mutex_);
  under_way_.emplace_back(EventLoop::Current(), &delivery);
  if (abandoned_) delivery.Cancel();
}

void Subscriber::Ended(Delivery& delivery, const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(under_way_, std::pair(EventLoop::Current(), &delivery));
  }
  counts_->in_progress.Add(-1);
  counts_->seconds.Observe(std::chrono::duration<double>(delivery.age()).count());
  delivery.Observe(span_name_, status ? Code::kOk : status.error().code());
  if (status) return;
  counts_->failed.Add();
  Complain(delivery, status.error());
  if (!options_.dead_letter.empty()) Bury(delivery, status.error());
}

void Subscriber::Complain(Delivery& delivery, const Error& error) {
  if (options_.on_error) {
    try {
      options_.on_error(delivery.context(), delivery.raw(), error);
    } catch (...) {
      parts_.runtime->logger().Write(LogLevel::kError, "the error hook of " + topic_ + " threw");
    }
    return;
  }
  const auto failed = complaining_.Pass(std::chrono::steady_clock::now());
  if (!failed) return;
  parts_.runtime->logger().Write(LogLevel::kWarn, std::to_string(*failed) + " messages on " +
                                                      topic_ +
                                                      " could not be handled, the last on " +
                                                      delivery.topic() + ": " + error.ToString());
}

void Subscriber::Bury(const Delivery& delivery, const Error& error) {
  RawMessage letter = delivery.raw();
  letter.metadata.Set(kDeadLetterOf, delivery.topic());
  letter.metadata.Set(kError, Plain(error.detail()));
  letter.metadata.Set(kErrorCode, ToString(error.code()));
  if (publisher_.PublishDirectly(options_.dead_letter, std::move(letter))) {
    counts_->dead.Add();
  } else {
    CountDrop("dead_letter");
  }
}

bool Subscriber::Stop(TimePoint until) {
  if (WaitIdle(until)) return true;
  const std::size_t dropped = Abandon();
  if (dropped > 0) {
    parts_.runtime->logger().Write(LogLevel::kWarn, "the grace is over: dropped " +
                                                        std::to_string(dropped) + " messages on " +
                                                        topic_ + " that waited");
  }
  return WaitIdle(std::chrono::steady_clock::now() + kLastWait);
}

bool Subscriber::WaitIdle(TimePoint until) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, until, [this] { return running_ == 0; });
}

// Says how many messages it dropped.
std::size_t Subscriber::Abandon() {
  std::vector<EventLoop*> loops;
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    dropped = std::exchange(waiting_, 0);
    waiting_bytes_ = 0;
    for (Lane& lane : lanes_) lane.waiting.clear();
    for (const auto& [loop, delivery] : under_way_) loops.push_back(loop);
  }
  counts_->Dropped("stopped").Add(dropped);
  counts_->waiting.Add(-static_cast<double>(dropped));
  std::ranges::sort(loops);
  loops.erase(std::ranges::unique(loops).begin(), loops.end());
  for (EventLoop* loop : loops) {
    loop->Post([self = shared_from_this(), loop] { self->CancelOn(*loop); });
  }
  return dropped;
}

// On that loop, where no delivery ends meanwhile but by what its own cancellation wakes.
void Subscriber::CancelOn(const EventLoop& loop) {
  std::vector<std::pair<EventLoop*, Delivery*>> before;
  {
    const std::lock_guard lock(mutex_);
    before = under_way_;
  }
  for (const auto& one : before) {
    if (one.first != &loop) continue;
    {
      const std::lock_guard lock(mutex_);
      if (std::ranges::find(under_way_, one) == under_way_.end()) continue;
    }
    one.second->Cancel();
  }
}

}  // namespace micro::pubsub
