#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "micro/events.h"

/// What every event store has to do, as tests. For one of one's own:
///
///     struct MyEvents {
///       std::shared_ptr<micro::Events> Make();  // all of them on the same store
///     };
///     INSTANTIATE_TYPED_TEST_SUITE_P(Mine, EventsConformance, MyEvents);
///
/// in namespace micro::testing. A MyEvents lives as long as one test, and its store is empty at
/// first.
namespace micro::testing {

inline constexpr std::chrono::seconds kEventsPatience{30};

/// Takes deliveries, and answers as it is told.
class Hands {
 public:
  using Answer = std::function<void(const EventDelivery&)>;

  explicit Hands(Answer answer = [](const EventDelivery& delivery) { (void)delivery.Ack(); })
      : answer_(std::move(answer)) {}

  Events::Consumer consumer() {
    return [this](const EventDelivery& delivery) {
      if (answer_) answer_(delivery);
      const std::scoped_lock lock(mutex_);
      events_.push_back(delivery.event());
      changed_.notify_all();
    };
  }

  bool WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kEventsPatience, [&] { return events_.size() >= count; });
  }
  std::vector<StoredEvent> events() const {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> bodies;
    for (const StoredEvent& event : events()) bodies.push_back(event.message.body);
    return bodies;
  }

 private:
  const Answer answer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StoredEvent> events_;
};

template <typename Stores>
class EventsConformance : public ::testing::Test {
 protected:
  using Bodies = std::vector<std::string>;

  static Stored Append(Events& events, const std::string& topic, std::string body,
                       AppendOptions options = {}) {
    const auto stored = events.Append(topic, {.metadata = {}, .body = std::move(body)}, options);
    EXPECT_TRUE(stored) << stored.error().ToString();
    return stored.value_or(Stored{});
  }
  static Subscription Consume(Events& events, const std::string& topic, ConsumeOptions options,
                              Hands& hands) {
    auto subscription = events.Consume(topic, std::move(options), hands.consumer());
    EXPECT_TRUE(subscription) << subscription.error().ToString();
    return subscription ? *std::move(subscription) : Subscription();
  }

  Stores stores_;
};

// NOLINTBEGIN: the suite's names are shown by GoogleTest
TYPED_TEST_SUITE_P(EventsConformance);

TYPED_TEST_P(EventsConformance, WhatWasStoredIsHandedOutWhole) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  ASSERT_TRUE(events->Connect());
  RawMessage message{.metadata = {{"content-type", "text/plain"}, {"key", "größe: \"1\""}}};
  for (int i = 0; i < 256; ++i) message.body.push_back(static_cast<char>(i));
  const auto before = std::chrono::system_clock::now();
  const auto stored = events->Append("orders.created", message);
  ASSERT_TRUE(stored) << stored.error().ToString();
  EXPECT_FALSE(stored->duplicate);
  Hands hands;
  const auto subscription = this->Consume(*events, "orders.created", {.group = "g"}, hands);
  ASSERT_TRUE(hands.WaitFor(1));
  const StoredEvent event = hands.events()[0];
  EXPECT_EQ(event.topic, "orders.created");
  EXPECT_EQ(event.message.body, message.body);
  EXPECT_EQ(event.message.metadata.Get("key"), "größe: \"1\"");
  EXPECT_EQ(event.message.metadata.Get("content-type"), "text/plain");
  EXPECT_EQ(event.sequence, stored->sequence);
  EXPECT_EQ(event.attempt, 1U);
  EXPECT_LT(event.time - before, std::chrono::minutes(1));
  EXPECT_GT(event.time - before, -std::chrono::minutes(1));
}

TYPED_TEST_P(EventsConformance, EventsComeInTheirOrder) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  Hands hands;
  const auto subscription = this->Consume(*events, "a", {.group = "g"}, hands);
  typename TestFixture::Bodies sent;
  std::uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    sent.push_back(std::to_string(i));
    const Stored stored = this->Append(*events, "a", sent.back());
    EXPECT_GT(stored.sequence, last);
    last = stored.sequence;
  }
  ASSERT_TRUE(hands.WaitFor(100));
  EXPECT_EQ(hands.bodies(), sent);
}

TYPED_TEST_P(EventsConformance, AGroupGoesOnWhereItWas) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  this->Append(*events, "a", "1");
  this->Append(*events, "a", "2");
  {
    Hands hands;
    const auto subscription = this->Consume(*events, "a", {.group = "g"}, hands);
    ASSERT_TRUE(hands.WaitFor(2));
  }
  this->Append(*events, "a", "3");
  const auto later = this->stores_.Make();
  Hands hands;
  const auto subscription = this->Consume(*later, "a", {.group = "g"}, hands);
  ASSERT_TRUE(hands.WaitFor(1));
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"3"}));
}

TYPED_TEST_P(EventsConformance, EachGroupGetsEveryEventOnce) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  Hands one;
  Hands two;
  Hands other;
  const auto a = this->Consume(*events, "a", {.group = "g"}, one);
  const auto b = this->Consume(*events, "a", {.group = "g"}, two);
  const auto c = this->Consume(*events, "a", {.group = "h"}, other);
  for (int i = 0; i < 60; ++i) this->Append(*events, "a", std::to_string(i));
  ASSERT_TRUE(other.WaitFor(60));
  const auto deadline = std::chrono::steady_clock::now() + kEventsPatience;
  while (one.events().size() + two.events().size() < 60 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::map<std::string, int> seen;
  for (const Hands* hands : {&one, &two}) {
    for (const std::string& body : hands->bodies()) ++seen[body];
  }
  EXPECT_EQ(seen.size(), 60U);
  EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& count) { return count.second == 1; }));
}

TYPED_TEST_P(EventsConformance, PatternsChooseTopics) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  Hands all;
  Hands some;
  const auto a = this->Consume(*events, ">", {.group = "all"}, all);
  const auto b = this->Consume(*events, "orders.*", {.group = "some"}, some);
  this->Append(*events, "orders.created", "1");
  this->Append(*events, "payments", "2");
  this->Append(*events, "orders.gone", "3");
  ASSERT_TRUE(all.WaitFor(3));
  ASSERT_TRUE(some.WaitFor(2));
  EXPECT_EQ(all.events()[1].topic, "payments");
  EXPECT_EQ(some.bodies(), (typename TestFixture::Bodies{"1", "3"}));
}

TYPED_TEST_P(EventsConformance, WhatIsNotAcknowledgedComesAgain) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  Hands hands([](const EventDelivery& delivery) {
    if (delivery.event().attempt == 3) (void)delivery.Ack();
  });
  const auto subscription = this->Consume(
      *events, "a", {.group = "g", .ack_wait = std::chrono::milliseconds(300)}, hands);
  this->Append(*events, "a", "x");
  ASSERT_TRUE(hands.WaitFor(3));
  EXPECT_EQ(hands.events()[1].attempt, 2U);
  EXPECT_EQ(hands.events()[2].attempt, 3U);
  EXPECT_EQ(hands.events()[2].sequence, hands.events()[0].sequence);
}

TYPED_TEST_P(EventsConformance, ANackBringsItBackAfterItsDelay) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  std::chrono::steady_clock::time_point refused;
  std::chrono::steady_clock::time_point again;
  Hands hands([&](const EventDelivery& delivery) {
    if (delivery.event().attempt == 1) {
      refused = std::chrono::steady_clock::now();
      (void)delivery.Nack(std::chrono::milliseconds(200));
    } else {
      again = std::chrono::steady_clock::now();
      (void)delivery.Ack();
    }
  });
  const auto subscription = this->Consume(*events, "a", {.group = "g"}, hands);
  this->Append(*events, "a", "x");
  ASSERT_TRUE(hands.WaitFor(2));
  EXPECT_GE(again - refused, std::chrono::milliseconds(150));
}

TYPED_TEST_P(EventsConformance, ExtendingKeepsIt) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  Hands hands([](const EventDelivery& delivery) {
    for (int i = 0; i < 6; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      EXPECT_TRUE(delivery.Extend());
    }
    EXPECT_TRUE(delivery.Ack());
  });
  Hands other;
  const ConsumeOptions options{.group = "g", .ack_wait = std::chrono::seconds(1)};
  const auto subscription = this->Consume(*events, "a", options, hands);
  this->Append(*events, "a", "x");
  ASSERT_TRUE(hands.WaitFor(1));
  this->Append(*events, "a", "y");
  ASSERT_TRUE(hands.WaitFor(2));
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"x", "y"}));
}

TYPED_TEST_P(EventsConformance, DiscardedEventsDoNotComeAgain) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  Hands hands([](const EventDelivery& delivery) {
    (void)(delivery.event().message.body == "bad" ? delivery.Discard() : delivery.Ack());
  });
  const auto subscription = this->Consume(
      *events, "a", {.group = "g", .ack_wait = std::chrono::milliseconds(200)}, hands);
  this->Append(*events, "a", "bad");
  this->Append(*events, "a", "good");
  ASSERT_TRUE(hands.WaitFor(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // twice it would have come again
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"bad", "good"}));
}

TYPED_TEST_P(EventsConformance, AttemptsMayBeLimited) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  Hands hands([](const EventDelivery& delivery) {
    (void)(delivery.event().message.body == "bad" ? delivery.Nack() : delivery.Ack());
  });
  const auto subscription = this->Consume(*events, "a", {.group = "g", .max_attempts = 2}, hands);
  this->Append(*events, "a", "bad");
  ASSERT_TRUE(hands.WaitFor(2));
  this->Append(*events, "a", "good");
  ASSERT_TRUE(hands.WaitFor(3));
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"bad", "bad", "good"}));
}

TYPED_TEST_P(EventsConformance, AnIdIsStoredOnce) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  const Stored first = this->Append(*events, "a", "1", {.id = "one"});
  const Stored second = this->Append(*events, "a", "1 again", {.id = "one"});
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(second.sequence, first.sequence);
  this->Append(*events, "a", "2", {.id = "two"});
  Hands hands;
  const auto subscription = this->Consume(*events, "a", {.group = "g"}, hands);
  ASSERT_TRUE(hands.WaitFor(2));
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"1", "2"}));
}

TYPED_TEST_P(EventsConformance, EventsAreReplayedFromASequence) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  this->Append(*events, "a", "1");
  const Stored second = this->Append(*events, "a", "2");
  this->Append(*events, "a", "3");
  Hands hands;
  const auto subscription =
      this->Consume(*events, "a", {.start = EventStart::At(second.sequence)}, hands);
  ASSERT_TRUE(hands.WaitFor(2));
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"2", "3"}));
}

TYPED_TEST_P(EventsConformance, EventsAreReplayedFromATime) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  this->Append(*events, "a", "1");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // clocks of the store and of ours
  const auto time = std::chrono::system_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  this->Append(*events, "a", "2");
  Hands hands;
  const auto subscription = this->Consume(*events, "a", {.start = EventStart::At(time)}, hands);
  ASSERT_TRUE(hands.WaitFor(1));
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"2"}));
}

TYPED_TEST_P(EventsConformance, WhoWantsNewEventsGetsNoOldOnes) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  this->Append(*events, "a", "old");
  Hands hands;
  const auto subscription = this->Consume(*events, "a", {.start = EventStart::New()}, hands);
  this->Append(*events, "a", "new");
  ASSERT_TRUE(hands.WaitFor(1));
  EXPECT_EQ(hands.bodies(), (typename TestFixture::Bodies{"new"}));
}

TYPED_TEST_P(EventsConformance, WithoutAGroupEveryConsumerGetsAll) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  this->Append(*events, "a", "1");
  Hands one;
  Hands two;
  const auto a = this->Consume(*events, "a", {}, one);
  const auto b = this->Consume(*events, "a", {}, two);
  ASSERT_TRUE(one.WaitFor(1));
  ASSERT_TRUE(two.WaitFor(1));
}

TYPED_TEST_P(EventsConformance, UnansweredEventsAreBounded) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  std::mutex mutex;
  std::vector<EventDelivery> held;
  Hands hands([&](const EventDelivery& delivery) {
    const std::scoped_lock lock(mutex);
    held.push_back(delivery);
  });
  const auto subscription = this->Consume(*events, "a", {.group = "g", .max_unanswered = 3}, hands);
  for (int i = 0; i < 6; ++i) this->Append(*events, "a", std::to_string(i));
  ASSERT_TRUE(hands.WaitFor(3));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // more would have come by now
  EXPECT_EQ(hands.events().size(), 3U);
  {
    const std::scoped_lock lock(mutex);
    for (const EventDelivery& delivery : held) EXPECT_TRUE(delivery.Ack());
  }
  EXPECT_TRUE(hands.WaitFor(6));
}

TYPED_TEST_P(EventsConformance, WhatMakesNoSenseIsRefused) {
  const auto events = this->stores_.Make();
  if (!events) GTEST_SKIP();
  const auto code = [](const auto& result) { return result ? Code::kOk : result.error().code(); };
  for (const std::string topic : {"", "a b", "a.*", "a..b", "$JS.x"}) {
    EXPECT_EQ(code(events->Append(topic, {})), Code::kInvalidArgument) << topic;
  }
  EXPECT_EQ(code(events->Append("a", {.metadata = {{"k", "a\r\nb: c"}}, .body = {}})),
            Code::kInvalidArgument);
  EXPECT_EQ(code(events->Append("a", {.metadata = {{"a key", "x"}}, .body = {}})),
            Code::kInvalidArgument);
  EXPECT_EQ(code(events->Append("a", {}, {.id = "a\nb"})), Code::kInvalidArgument);
  const auto nobody = [](const EventDelivery&) {};
  EXPECT_EQ(code(events->Consume("a b", {}, nobody)), Code::kInvalidArgument);
  EXPECT_EQ(code(events->Consume("a", {.group = "a.b"}, nobody)), Code::kInvalidArgument);
  EXPECT_EQ(code(events->Consume("a", {.ack_wait = {}}, nobody)), Code::kInvalidArgument);
  EXPECT_EQ(code(events->Consume("a", {.max_unanswered = 0}, nobody)), Code::kInvalidArgument);
}

REGISTER_TYPED_TEST_SUITE_P(EventsConformance, WhatWasStoredIsHandedOutWhole,
                            EventsComeInTheirOrder, AGroupGoesOnWhereItWas,
                            EachGroupGetsEveryEventOnce, PatternsChooseTopics,
                            WhatIsNotAcknowledgedComesAgain, ANackBringsItBackAfterItsDelay,
                            ExtendingKeepsIt, DiscardedEventsDoNotComeAgain, AttemptsMayBeLimited,
                            AnIdIsStoredOnce, EventsAreReplayedFromASequence,
                            EventsAreReplayedFromATime, WhoWantsNewEventsGetsNoOldOnes,
                            WithoutAGroupEveryConsumerGetsAll, UnansweredEventsAreBounded,
                            WhatMakesNoSenseIsRefused);
// NOLINTEND

}  // namespace micro::testing
