#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include "micro/micro.h"

// Services that publish and subscribe on a broker within this process.
namespace micro {
namespace {

using google::protobuf::Int32Value;
using google::protobuf::StringValue;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kPatience = 30s;

StringValue Text(std::string text) {
  StringValue value;
  value.set_value(std::move(text));
  return value;
}

// What handlers have seen.
class Seen {
 public:
  void Add(std::string word) {
    const std::lock_guard lock(mutex_);
    words_.push_back(std::move(word));
    changed_.notify_all();
  }
  bool WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return words_.size() >= count; });
  }
  std::vector<std::string> words() const {
    const std::lock_guard lock(mutex_);
    return words_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> words_;
};

// Blocks threads until it is opened.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  bool Wait() {
    std::unique_lock lock(mutex_);
    return opened_.wait_for(lock, kPatience, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

class Lines final : public Logger {
 public:
  bool Enabled(LogLevel /*level*/) const override { return true; }
  void Write(LogLevel /*level*/, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    text_.append(message).append("\n");
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class PubSubTest : public ::testing::Test {
 protected:
  ServiceOptions Options(std::string name = "test") const {
    return {.name = std::move(name),
            .registry = "memory",
            .transport = "memory",
            .broker = "memory",
            .loops = 2,
            .plugins = plugins_,
            .logger = lines_};
  }

  static double Number(Service& service, const std::string& sample) {
    const std::string page = "\n" + service.metrics().Text();
    const std::size_t at = page.find("\n" + sample + " ");
    return at == page.npos ? -1 : std::stod(page.substr(at + sample.size() + 2));
  }
  static bool Reaches(Service& service, const std::string& sample, double value) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (Number(service, sample) != value) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }

  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  Plugins plugins_ = DefaultPlugins();
  Seen seen_;
  Gate gate_;  // outlives the services
  Service service_{Options()};
};

TEST_F(PubSubTest, AHandlerGetsWhatWasPublished) {
  ASSERT_TRUE(service_.Subscribe<StringValue>("a.b", [this](Context& context, const auto& text) {
    seen_.Add(context.path() + " " + context.service() + " " + text.value());
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a.b", Text("hello")));
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_THAT(seen_.words(), ElementsAre("a.b test hello"));
}

TEST_F(PubSubTest, CoroutinesHandleOnALoop) {
  ASSERT_TRUE(service_.Subscribe<StringValue>(
      "a", [this](Context& /*context*/, StringValue text) -> Task<Status> {
        const bool before = EventLoop::Current() != nullptr;
        co_await Sleep(1ms);
        seen_.Add(text.value() + (before && EventLoop::Current() != nullptr ? " on a loop" : ""));
        co_return Ok();
      }));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a", Text("hello")));
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_THAT(seen_.words(), ElementsAre("hello on a loop"));
}

TEST_F(PubSubTest, AProgramThatIsNotStartedCanPublish) {
  ASSERT_TRUE(service_.Subscribe<StringValue>("a", [this](Context& context, const auto& text) {
    seen_.Add(text.value() + " from " + std::string(*context.metadata().Get("micro-from-service")));
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  {
    Service program(Options("program"));
    ASSERT_TRUE(program.Publish("a", Text("hello")));
  }
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_THAT(seen_.words(), ElementsAre("hello from program"));
}

TEST_F(PubSubTest, MessagesAreLabelledAsGoMicroLabelsThem) {
  RawMessage came;
  ASSERT_TRUE(service_.Subscribe("a", [&](Context& /*context*/, const RawMessage& message) {
    came = message;
    seen_.Add("");
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  const Metadata metadata = {{"user", "ann"}};
  ASSERT_TRUE(service_.Publish("a", Text("hi"), {.metadata = &metadata}));
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_EQ(came.body, "\n\x02hi");
  EXPECT_EQ(came.metadata.Get("content-type"), "application/grpc+proto");
  EXPECT_EQ(came.metadata.Get("micro-topic"), "a");
  EXPECT_EQ(came.metadata.Get("micro-from-service"), "test");
  EXPECT_EQ(came.metadata.Get("user"), "ann");
}

TEST_F(PubSubTest, ContentTypesChooseTheCodec) {
  ASSERT_TRUE(service_.Subscribe<StringValue>("a", [this](Context& context, const auto& text) {
    EXPECT_FALSE(context.metadata().Has("content-type"));
    seen_.Add(text.value());
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a", Text("as json"), {.content_type = "application/json"}));
  ASSERT_TRUE(service_.Publish(
      "a", RawMessage{.metadata = {{"content-type", "application/json"}}, .body = "\"by hand\""}));
  ASSERT_TRUE(service_.Publish("a", RawMessage{.body = "\n\x02hi"}));
  ASSERT_TRUE(seen_.WaitFor(3));
  EXPECT_THAT(seen_.words(), ElementsAre("as json", "by hand", "hi"));
  const Status unknown = service_.Publish("a", Text(""), {.content_type = "text/x"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().detail(), HasSubstr("no codec for content type text/x; known: "));
}

TEST_F(PubSubTest, MessagesAreHandledInOrderUnlessAskedOtherwise) {
  ASSERT_TRUE(service_.Subscribe<Int32Value>("a", [this](Context& /*context*/, const auto& number) {
    if (number.value() % 2 == 0) std::this_thread::sleep_for(100us);
    seen_.Add(std::to_string(number.value()));
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  std::vector<std::string> sent;
  for (int i = 0; i < 200; ++i) {
    Int32Value number;
    number.set_value(i);
    sent.push_back(std::to_string(i));
    ASSERT_TRUE(service_.Publish("a", number));
  }
  ASSERT_TRUE(seen_.WaitFor(200));
  EXPECT_EQ(seen_.words(), sent);
}

TEST_F(PubSubTest, ConcurrencyIsAsManyAtATime) {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  ASSERT_TRUE(service_.Subscribe<StringValue>(
      "a",
      [&](Context& /*context*/, const auto& /*text*/) {
        const int count = ++now;
        for (int seen = most; count > seen && !most.compare_exchange_weak(seen, count);) continue;
        if (count == 4) gate_.Open();
        EXPECT_TRUE(gate_.Wait());
        --now;
        seen_.Add("");
        return Ok();
      },
      {.concurrency = 4}));
  ASSERT_TRUE(service_.Start());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(service_.Publish("a", Text("")));
  ASSERT_TRUE(seen_.WaitFor(40));
  EXPECT_EQ(most.load(), 4);
}

TEST_F(PubSubTest, OrderByKeepsTheOrderOfEachKey) {
  ASSERT_TRUE(service_.Subscribe<StringValue>(
      "a",
      [this](Context& context, StringValue text) -> Task<Status> {
        co_await Sleep(text.value().size() % 2 == 0 ? 1ms : 0ms);
        seen_.Add(std::string(*context.metadata().Get("customer")) + text.value());
        co_return Ok();
      },
      {.concurrency = 8, .order_by = "customer"}));
  ASSERT_TRUE(service_.Start());
  for (int i = 0; i < 30; ++i) {
    for (const std::string customer : {"x", "y", "z"}) {
      const Metadata metadata = {{"customer", customer}};
      ASSERT_TRUE(service_.Publish("a", Text(std::to_string(i)), {.metadata = &metadata}));
    }
  }
  ASSERT_TRUE(seen_.WaitFor(90));
  std::map<char, int> next;
  for (const std::string& word : seen_.words()) {
    EXPECT_EQ(word.substr(1), std::to_string(next[word[0]]++));
  }
}

TEST_F(PubSubTest, QueuesShareMessages) {
  Service other(Options("other"));
  for (Service* service : {&service_, &other}) {
    ASSERT_TRUE(service->Subscribe<StringValue>("a",
                                                [this](Context& context, const auto& text) {
                                                  seen_.Add(context.service() + text.value());
                                                  return Ok();
                                                },
                                                {.queue = "q"}));
    ASSERT_TRUE(service->Start());
  }
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(service_.Publish("a", Text("")));
  ASSERT_TRUE(seen_.WaitFor(100));
  service_.Stop();
  other.Stop();
  const auto words = seen_.words();
  EXPECT_EQ(words.size(), 100U);
  EXPECT_GT(std::ranges::count(words, "test"), 10);
  EXPECT_GT(std::ranges::count(words, "other"), 10);
}

TEST_F(PubSubTest, ATraceGoesOnAcrossAMessage) {
  TraceContext first;
  ASSERT_TRUE(service_.Subscribe<StringValue>("a", [&](Context& context, const auto& text) {
    first = context.trace();
    return service_.Publish("b", text, {.parent = &context});
  }));
  TraceContext second;
  bool both = false;
  ASSERT_TRUE(service_.Subscribe<StringValue>("b", [&](Context& context, const auto& /*text*/) {
    second = context.trace();
    both = context.metadata().Has("traceparent") && context.metadata().Has("micro-trace-id");
    seen_.Add("");
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a", Text("")));
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_TRUE(first);
  EXPECT_EQ(second.trace_id(), first.trace_id());
  EXPECT_NE(second.span, first.span);
  EXPECT_TRUE(both);
}

TEST_F(PubSubTest, SpansTellOfBothEnds) {
  std::mutex mutex;
  std::vector<std::pair<SpanKind, std::string>> spans;
  ServiceOptions options = Options("traced");
  options.spans = [&](const Span& span) {
    const std::lock_guard lock(mutex);
    spans.emplace_back(span.kind, span.path);
    if (spans.size() == 2) gate_.Open();
  };
  Service traced(options);
  ASSERT_TRUE(traced.Subscribe<StringValue>("a", [](Context&, const auto&) { return Ok(); }));
  ASSERT_TRUE(traced.Start());
  ASSERT_TRUE(traced.Publish("a", Text("")));
  ASSERT_TRUE(gate_.Wait());
  const std::lock_guard lock(mutex);
  EXPECT_THAT(spans, ::testing::UnorderedElementsAre(std::pair(SpanKind::kProducer, "a"),
                                                     std::pair(SpanKind::kConsumer, "a")));
}

TEST_F(PubSubTest, MiddlewareStandsAroundHandlersAndPublishers) {
  service_.UseSubscriber([this](Context& context, Next next) -> Task<Status> {
    seen_.Add("before " + context.path());
    Status status = co_await next(context);
    seen_.Add("after " + std::string(*context.metadata().Get("stamp")));
    co_return status;
  });
  service_.UsePublisher([](Context& context, Next next) -> Task<Status> {
    if (context.path() == "refused") co_return PermissionDenied("not on this topic");
    context.metadata().Set("stamp", "stamped");
    co_return co_await next(context);
  });
  ASSERT_TRUE(service_.Subscribe<StringValue>("a", [this](Context&, const auto& text) {
    seen_.Add(text.value());
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a", Text("hello")));
  ASSERT_TRUE(seen_.WaitFor(3));
  EXPECT_THAT(seen_.words(), ElementsAre("before a", "hello", "after stamped"));
  const Status refused = service_.Publish("refused", Text(""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
}

TEST_F(PubSubTest, OnALoopOneAwaitsPublishing) {
  service_.UsePublisher([](Context& context, Next next) -> Task<Status> {
    co_await Sleep(1ms);
    co_return co_await next(context);
  });
  ASSERT_TRUE(service_.Subscribe<StringValue>(
      "a", [this](Context& context, StringValue text) -> Task<Status> {
        const Status blocking = service_.Publish("b", text);
        EXPECT_FALSE(blocking);
        co_return co_await service_.PublishAsync("b", text, {.parent = &context});
      }));
  ASSERT_TRUE(service_.Subscribe<StringValue>("b", [this](Context&, const auto& text) {
    seen_.Add(text.value());
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a", Text("hello")));
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_THAT(seen_.words(), ElementsAre("hello"));
}

TEST_F(PubSubTest, TheHookIsToldOfWhatWasNotHandled) {
  SubscribeOptions options;
  options.on_error = [this](const Context& context, const RawMessage& message, const Error& error) {
    seen_.Add(context.path() + "|" + message.body + "|" + std::string(ToString(error.code())));
  };
  ASSERT_TRUE(service_.Subscribe<StringValue>(
      "a.*",
      [](Context& context, const auto& text) -> Status {
        if (context.path() == "a.throws") throw std::runtime_error("oh");
        return text.value().empty() ? Ok() : NotFound("no such " + text.value());
      },
      options));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a.fails", Text("x")));
  ASSERT_TRUE(service_.Publish("a.throws", Text("")));
  ASSERT_TRUE(service_.Publish("a.garbage", RawMessage{.body = "\xff\xff"}));
  ASSERT_TRUE(service_.Publish("a.unknown",
                               RawMessage{.metadata = {{"content-type", "text/x"}}, .body = "x"}));
  ASSERT_TRUE(seen_.WaitFor(4));
  EXPECT_THAT(seen_.words(),
              ElementsAre("a.fails|\n\x01x|NOT_FOUND", "a.throws||INTERNAL",
                          "a.garbage|\xff\xff|INVALID_ARGUMENT", "a.unknown|x|INVALID_ARGUMENT"));
  EXPECT_TRUE(Reaches(service_, R"(micro_messages_failed_total{queue="",topic="a.*"})", 4));
}

TEST_F(PubSubTest, WithoutAHookThereIsALine) {
  ASSERT_TRUE(service_.Subscribe<StringValue>(
      "a", [](Context&, const auto&) -> Status { return NotFound("nothing there"); }));
  ASSERT_TRUE(service_.Start());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(service_.Publish("a", Text("")));
  service_.Stop();
  EXPECT_THAT(lines_->text(), HasSubstr("messages on a could not be handled"));
  EXPECT_THAT(lines_->text(), HasSubstr("nothing there"));
  const std::string text = lines_->text();
  EXPECT_LT(std::ranges::count(text, '\n'), 30);
}

TEST_F(PubSubTest, DeadLettersSayWhyTheyAre) {
  RawMessage letter;
  ASSERT_TRUE(service_.Subscribe<StringValue>(
      "a", [](Context&, const auto&) -> Status { return NotFound("no\nway"); },
      {.dead_letter = "dead"}));
  ASSERT_TRUE(service_.Subscribe("dead", [&](Context&, const RawMessage& message) {
    letter = message;
    seen_.Add("");
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a", Text("x")));
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_EQ(letter.body, "\n\x01x");
  EXPECT_EQ(letter.metadata.Get("micro-dead-letter-of"), "a");
  EXPECT_EQ(letter.metadata.Get("micro-error"), "no?way");
  EXPECT_EQ(letter.metadata.Get("micro-error-code"), "NOT_FOUND");
  EXPECT_EQ(letter.metadata.Get("micro-topic"), "dead");
  EXPECT_EQ(letter.metadata.Get("content-type"), "application/grpc+proto");
}

TEST_F(PubSubTest, WhatThereIsNoRoomForIsDroppedAndCounted) {
  for (const bool oldest : {false, true}) {
    SubscribeOptions options;
    options.max_waiting = 10;
    options.overflow = oldest ? Overflow::kDropOldest : Overflow::kDropNewest;
    options.queue = oldest ? "oldest" : "newest";
    ASSERT_TRUE(service_.Subscribe<StringValue>(
        "a",
        [this, oldest](Context&, const auto& text) {
          EXPECT_TRUE(gate_.Wait());
          seen_.Add((oldest ? "o" : "n") + text.value());
          return Ok();
        },
        options));
  }
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Publish("a", Text("first")));
  for (const std::string queue : {"oldest", "newest"}) {
    ASSERT_TRUE(
        Reaches(service_, "micro_messages_in_progress{queue=\"" + queue + "\",topic=\"a\"}", 1));
  }
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(service_.Publish("a", Text(std::to_string(i))));
  for (const std::string queue : {"oldest", "newest"}) {
    EXPECT_EQ(Number(service_, "micro_messages_dropped_total{queue=\"" + queue +
                                   "\",reason=\"overflow\",topic=\"a\"}"),
              20);
  }
  gate_.Open();
  ASSERT_TRUE(seen_.WaitFor(22));
  service_.Stop();
  std::set<std::string> expected = {"ofirst", "nfirst"};
  for (int i = 0; i < 10; ++i) {
    expected.insert("n" + std::to_string(i));
    expected.insert("o" + std::to_string(20 + i));
  }
  const auto words = seen_.words();
  EXPECT_EQ(std::set(words.begin(), words.end()), expected);
  EXPECT_THAT(lines_->text(), HasSubstr("messages on a, which its handler is too slow for"));
}

TEST_F(PubSubTest, StoppingHandlesWhatHasArrived) {
  ASSERT_TRUE(service_.Subscribe<StringValue>("a", [this](Context&, const auto& /*text*/) {
    EXPECT_TRUE(gate_.Wait());
    seen_.Add("");
    return Ok();
  }));
  ASSERT_TRUE(service_.Start());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(service_.Publish("a", Text("")));
  std::thread stopping([this] { service_.Stop(); });
  Service other(Options("other"));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (service_.registry().GetService("test") && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(1ms);
  }
  gate_.Open();
  stopping.join();
  EXPECT_EQ(seen_.words().size(), 50U);
  ASSERT_TRUE(other.Publish("a", Text("late")));
  EXPECT_EQ(seen_.words().size(), 50U);
}

TEST_F(PubSubTest, AfterTheGraceHandlersAreCancelledAndTheRestIsDropped) {
  ServiceOptions options = Options("hasty");
  options.drain_timeout = 50ms;
  Service hasty(options);
  ASSERT_TRUE(hasty.Subscribe<StringValue>(
      "a", [this](Context& context, StringValue /*text*/) -> Task<Status> {
        seen_.Add("began");
        while (!context.cancelled()) co_await Sleep(1ms);
        seen_.Add("cancelled");
        co_return Cancelled("as asked");
      }));
  ASSERT_TRUE(hasty.Start());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(hasty.Publish("a", Text("")));
  ASSERT_TRUE(seen_.WaitFor(1));
  hasty.Stop();
  EXPECT_THAT(seen_.words(), ElementsAre("began", "cancelled"));
  EXPECT_THAT(lines_->text(), HasSubstr("dropped 4 messages on a that waited"));
}

TEST_F(PubSubTest, SubscriptionsAreEndpointsAsGoMicroShowsThem) {
  const auto nothing = [](Context&, const RawMessage&) { return Ok(); };
  ASSERT_TRUE(service_.Subscribe("a", nothing));
  ASSERT_TRUE(service_.Subscribe<StringValue>("b", [](Context&, const auto&) { return Ok(); }));
  ASSERT_TRUE(service_.Subscribe("c", nothing, {.internal = true}));
  ASSERT_TRUE(service_.Start());
  const auto found = service_.registry().GetService("test");
  ASSERT_TRUE(found);
  const ServiceInfo& info = found->front();
  EXPECT_EQ(info.nodes.front().metadata.at("broker"), "memory");
  ASSERT_EQ(info.endpoints.size(), 2U);
  EXPECT_EQ(info.endpoints[0].name, "Func");
  EXPECT_EQ(info.endpoints[0].request.name, "StringValue");
  EXPECT_EQ(info.endpoints[0].response, Value{});
  EXPECT_EQ(info.endpoints[0].metadata,
            (std::map<std::string, std::string>{{"subscriber", "true"}, {"topic", "b"}}));
  EXPECT_EQ(info.endpoints[1].metadata.at("topic"), "a");
}

TEST_F(PubSubTest, WhatIsWrongWithASubscriptionKeepsTheServiceFromStarting) {
  const auto nothing = [](Context&, const RawMessage&) { return Ok(); };
  for (const SubscribeOptions& options :
       {SubscribeOptions{.queue = "two words"}, SubscribeOptions{.concurrency = 0},
        SubscribeOptions{.max_waiting = 0}, SubscribeOptions{.dead_letter = "a"},
        SubscribeOptions{.dead_letter = "x y"}}) {
    Service service(Options());
    EXPECT_FALSE(service.Subscribe("a", nothing, options));
    const Status started = service.Start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().phase(), Phase::kConfigure);
  }
}

TEST_F(PubSubTest, ARunningServiceMaySubscribe) {
  ASSERT_TRUE(service_.Start());
  ASSERT_TRUE(service_.Subscribe<StringValue>("a", [this](Context&, const auto& text) {
    seen_.Add(text.value());
    return Ok();
  }));
  ASSERT_TRUE(service_.Publish("a", Text("hello")));
  EXPECT_TRUE(seen_.WaitFor(1));
  EXPECT_FALSE(service_.Subscribe("a b", [](Context&, const RawMessage&) { return Ok(); }));
  EXPECT_TRUE(service_.status());
}

TEST_F(PubSubTest, AnUnknownBrokerIsAStartUpErrorThatListsTheKnownOnes) {
  ServiceOptions options = Options();
  options.broker = "carrier-pigeon";
  const Service service(options);
  ASSERT_FALSE(service.status());
  EXPECT_THAT(service.status().error().detail(),
              HasSubstr("unknown broker \"carrier-pigeon\"; known: "));
}

TEST_F(PubSubTest, WithOptionsThatAreWrongNothingIsPublished) {
  ServiceOptions options = Options();
  options.registry = "none";
  Service service(options);
  const Status published = service.Publish("a", Text(""));
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().phase(), Phase::kConfigure);
}

TEST_F(PubSubTest, WithoutAnEventStoreEventsSaySo) {
  const auto stored = service_.events().Append("a", {});
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().detail(), "no event store was chosen (--events)");
}

TEST_F(PubSubTest, EventsAreKeptByTheChosenStore) {
  ServiceOptions options = Options();
  options.events = "memory";
  Service service(options);
  ASSERT_TRUE(service.Start());
  ASSERT_TRUE(service.events().Append("a", {.metadata = {}, .body = "x"}));
  const auto subscription =
      service.events().Consume("a", {}, [this](const EventDelivery& delivery) {
        EXPECT_TRUE(delivery.Ack());
        seen_.Add(delivery.event().message.body);
      });
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(seen_.WaitFor(1));
  EXPECT_THAT(seen_.words(), ElementsAre("x"));
}

TEST_F(PubSubTest, AnEventStoreThatIsNotThereKeepsTheServiceFromStarting) {
  ServiceOptions options = Options();
  options.events = "jetstream";
  options.events_address = {"127.0.0.1:1"};
  Service service(options);
  const Status started = service.Start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().detail(), HasSubstr("cannot connect to NATS at nats://127.0.0.1:1"));
}

TEST_F(PubSubTest, PublishingIsCountedByTopic) {
  ASSERT_TRUE(service_.Publish("a", Text("")));
  ASSERT_TRUE(service_.Publish("a", Text("")));
  EXPECT_FALSE(service_.Publish("a b", Text("")));
  EXPECT_EQ(Number(service_, R"(micro_messages_published_total{topic="a"})"), 2);
  EXPECT_EQ(Number(service_, R"(micro_messages_publish_failed_total{topic="other"})"), 1);
}

}  // namespace
}  // namespace micro
