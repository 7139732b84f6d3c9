#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "micro/broker.h"

/// What every broker has to do, as tests. For a broker of one's own:
///
///     struct MyBrokers {
///       std::shared_ptr<micro::Broker> Make();  // not connected; each reaches all the others
///     };
///     INSTANTIATE_TYPED_TEST_SUITE_P(Mine, BrokerConformance, MyBrokers);
///
/// in namespace micro::testing. A MyBrokers lives as long as one test. Tests use topics that no
/// other process uses, so they may run beside each other on one server.
namespace micro::testing {

inline constexpr std::chrono::seconds kBrokerPatience{30};

/// A topic that is this test's and this process's alone.
inline std::string UniqueTopic(const std::string& stem) {
  static std::atomic<int> count = 0;
  return "conformance." + stem + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

/// Collects what a subscription gets.
class Inbox {
 public:
  using Arrival = std::pair<std::string, RawMessage>;  // topic and message

  Broker::Receiver receiver() {
    return [this](std::string_view topic, RawMessage message) {
      const std::scoped_lock lock(mutex_);
      arrivals_.emplace_back(topic, std::move(message));
      changed_.notify_all();
    };
  }

  /// Waits until there are so many; false when they do not come.
  bool WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kBrokerPatience, [&] { return arrivals_.size() >= count; });
  }
  /// Waits until one with this body is there.
  bool WaitForBody(std::string_view body) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kBrokerPatience, [&] { return CountOf(body) > 0; });
  }

  std::vector<Arrival> arrivals() const {
    const std::scoped_lock lock(mutex_);
    return arrivals_;
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> bodies;
    for (const auto& [topic, message] : arrivals()) bodies.push_back(message.body);
    return bodies;
  }
  std::size_t size() const { return arrivals().size(); }
  std::size_t Count(std::string_view body) const {
    const std::scoped_lock lock(mutex_);
    return CountOf(body);
  }

 private:
  std::size_t CountOf(std::string_view body) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        arrivals_, [&](const Arrival& arrival) { return arrival.second.body == body; }));
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Arrival> arrivals_;
};

template <typename Brokers>
class BrokerConformance : public ::testing::Test {
 protected:
  std::shared_ptr<Broker> Connected() {
    auto broker = brokers_.Make();
    if (!broker) return nullptr;
    const Status connected = broker->Connect();
    EXPECT_TRUE(connected) << connected.error().ToString();
    return broker;
  }

  static Subscription Subscribe(Broker& broker, const TopicFilter& filter, Inbox& inbox) {
    auto subscription = broker.Subscribe(filter, inbox.receiver());
    EXPECT_TRUE(subscription) << subscription.error().ToString();
    return subscription ? *std::move(subscription) : Subscription();
  }

  static void Publish(Broker& broker, const std::string& topic, std::string body) {
    const Status published = broker.Publish(topic, {.metadata = {}, .body = std::move(body)});
    EXPECT_TRUE(published) << published.error().ToString();
  }

  /// Publishes on `topic` until `inbox` has heard it: from then on the two brokers know each other.
  static void Meet(Broker& publisher, const std::string& topic, Inbox& inbox) {
    const auto deadline = std::chrono::steady_clock::now() + kBrokerPatience;
    while (inbox.Count("meet") == 0 && std::chrono::steady_clock::now() < deadline) {
      Publish(publisher, topic, "meet");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GT(inbox.Count("meet"), 0U);
  }

  static std::vector<std::string> WithoutMeetings(std::vector<std::string> bodies) {
    std::erase(bodies, "meet");
    return bodies;
  }

  Brokers brokers_;
};

// NOLINTBEGIN: the suite's names are shown by GoogleTest
TYPED_TEST_SUITE_P(BrokerConformance);

TYPED_TEST_P(BrokerConformance, DeliversWhatWasPublished) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  Inbox inbox;
  const std::string topic = UniqueTopic("whole");
  const auto subscription = this->Subscribe(*broker, {.topic = topic}, inbox);
  RawMessage message{.metadata = {{"content-type", "text/plain"}, {"key", "größe \"1\" \\"}}};
  for (int i = 0; i < 256; ++i) message.body.push_back(static_cast<char>(i));
  ASSERT_TRUE(broker->Publish(topic, message));
  ASSERT_TRUE(broker->Publish(topic, {}));
  ASSERT_TRUE(inbox.WaitFor(2));
  const auto arrivals = inbox.arrivals();
  EXPECT_EQ(arrivals[0].first, topic);
  EXPECT_EQ(arrivals[0].second.body, message.body);
  EXPECT_EQ(arrivals[0].second.metadata.Get("Key"), "größe \"1\" \\");
  EXPECT_EQ(arrivals[0].second.metadata.Get("content-type"), "text/plain");
  EXPECT_EQ(arrivals[1].second.body, "");
}

TYPED_TEST_P(BrokerConformance, KeepsTheOrderOfOnePublisher) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  Inbox inbox;
  const std::string topic = UniqueTopic("order");
  const auto subscription = this->Subscribe(*broker, {.topic = topic}, inbox);
  std::vector<std::string> sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back(std::to_string(i));
    this->Publish(*broker, topic, sent.back());
  }
  ASSERT_TRUE(inbox.WaitFor(sent.size()));
  EXPECT_EQ(inbox.bodies(), sent);
}

TYPED_TEST_P(BrokerConformance, EverySubscriptionGetsEveryMessage) {
  const auto first = this->Connected();
  if (!first) GTEST_SKIP();
  const auto second = this->Connected();
  Inbox inboxes[3];
  const std::string topic = UniqueTopic("all");
  const auto a = this->Subscribe(*first, {.topic = topic}, inboxes[0]);
  const auto b = this->Subscribe(*first, {.topic = topic}, inboxes[1]);
  const auto c = this->Subscribe(*second, {.topic = topic}, inboxes[2]);
  this->Meet(*first, topic, inboxes[2]);
  for (int i = 0; i < 20; ++i) this->Publish(*first, topic, std::to_string(i));
  for (Inbox& inbox : inboxes) {
    ASSERT_TRUE(inbox.WaitForBody("19"));
    EXPECT_EQ(this->WithoutMeetings(inbox.bodies()).size(), 20U);
  }
}

TYPED_TEST_P(BrokerConformance, OneOfAQueueGetsEachMessage) {
  const auto first = this->Connected();
  if (!first) GTEST_SKIP();
  const auto second = this->Connected();
  const auto publisher = this->Connected();
  Inbox members[3];
  Inbox all;
  const std::string topic = UniqueTopic("queue");
  const auto a = this->Subscribe(*first, {.topic = topic, .queue = "q"}, members[0]);
  const auto b = this->Subscribe(*first, {.topic = topic, .queue = "q"}, members[1]);
  const auto c = this->Subscribe(*second, {.topic = topic, .queue = "q"}, members[2]);
  const auto d = this->Subscribe(*first, {.topic = topic}, all);
  this->Meet(*publisher, topic, members[2]);
  this->Meet(*publisher, topic, all);
  constexpr std::size_t kMessages = 600;
  for (std::size_t i = 0; i < kMessages; ++i) this->Publish(*publisher, topic, std::to_string(i));
  ASSERT_TRUE(all.WaitForBody(std::to_string(kMessages - 1)));
  const auto count = [&] {
    std::size_t sum = 0;
    for (const Inbox& member : members) sum += this->WithoutMeetings(member.bodies()).size();
    return sum;
  };
  const auto deadline = std::chrono::steady_clock::now() + kBrokerPatience;
  while (count() < kMessages && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::map<std::string, int> seen;
  for (const Inbox& member : members) {
    const auto bodies = this->WithoutMeetings(member.bodies());
    EXPECT_GT(bodies.size(), kMessages / 10);
    for (const std::string& body : bodies) ++seen[body];
  }
  EXPECT_EQ(seen.size(), kMessages);
  EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& one) { return one.second == 1; }));
  EXPECT_EQ(this->WithoutMeetings(all.bodies()).size(), kMessages);
}

TYPED_TEST_P(BrokerConformance, PatternsTakeInWhatFits) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  const std::string stem = UniqueTopic("pattern");
  Inbox word;
  Inbox rest;
  const auto a = this->Subscribe(*broker, {.topic = stem + ".*.b"}, word);
  const auto b = this->Subscribe(*broker, {.topic = stem + ".>"}, rest);
  this->Publish(*broker, stem, "none");
  this->Publish(*broker, stem + ".a", "rest");
  this->Publish(*broker, stem + ".a.b", "both");
  this->Publish(*broker, stem + ".a.b.c", "rest too");
  ASSERT_TRUE(rest.WaitFor(3));
  ASSERT_TRUE(word.WaitFor(1));
  EXPECT_EQ(rest.bodies(), (std::vector<std::string>{"rest", "both", "rest too"}));
  EXPECT_EQ(word.bodies(), std::vector<std::string>{"both"});
  EXPECT_EQ(word.arrivals()[0].first, stem + ".a.b");
}

TYPED_TEST_P(BrokerConformance, AQueueOnAPatternIsOneGroup) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  const std::string stem = UniqueTopic("group");
  Inbox members[2];
  Inbox all;
  const auto a = this->Subscribe(*broker, {.topic = stem + ".*", .queue = "q"}, members[0]);
  const auto b = this->Subscribe(*broker, {.topic = stem + ".x", .queue = "q"}, members[1]);
  const auto c = this->Subscribe(*broker, {.topic = stem + ".>"}, all);
  for (int i = 0; i < 50; ++i) this->Publish(*broker, stem + ".x", std::to_string(i));
  this->Publish(*broker, stem + ".end", "end");
  ASSERT_TRUE(all.WaitForBody("end"));
  ASSERT_TRUE(members[0].WaitForBody("end"));
  const auto deadline = std::chrono::steady_clock::now() + kBrokerPatience;
  while (members[0].size() + members[1].size() < 51 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(members[0].size() + members[1].size(), 51U);
}

TYPED_TEST_P(BrokerConformance, NothingComesOnceASubscriptionHasEnded) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  Inbox ended;
  Inbox stays;
  const std::string topic = UniqueTopic("end");
  auto subscription = this->Subscribe(*broker, {.topic = topic}, ended);
  const auto other = this->Subscribe(*broker, {.topic = topic}, stays);
  this->Publish(*broker, topic, "before");
  ASSERT_TRUE(ended.WaitFor(1));
  subscription.Stop();
  this->Publish(*broker, topic, "after");
  ASSERT_TRUE(stays.WaitForBody("after"));
  EXPECT_EQ(ended.bodies(), std::vector<std::string>{"before"});
}

TYPED_TEST_P(BrokerConformance, ASubscriptionMayEndWhileMessagesFlow) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  const std::string topic = UniqueTopic("flow");
  std::atomic<bool> stop = false;
  std::thread publisher([&] {
    while (!stop.load()) {
      (void)broker->Publish(topic, {.metadata = {}, .body = "x"});
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  });
  for (int i = 0; i < 20; ++i) {
    auto inbox = std::make_unique<Inbox>();
    auto subscription = this->Subscribe(*broker, {.topic = topic}, *inbox);
    EXPECT_TRUE(inbox->WaitFor(1));
    subscription.Stop();
    inbox.reset();  // nobody may touch it any more
  }
  stop.store(true);
  publisher.join();
}

TYPED_TEST_P(BrokerConformance, ManyThreadsPublish) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  Inbox inbox;
  const std::string topic = UniqueTopic("threads");
  const auto subscription = this->Subscribe(*broker, {.topic = topic}, inbox);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 100; ++i) {
        this->Publish(*broker, topic, std::to_string(thread) + ":" + std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(inbox.WaitFor(400));
  std::map<char, int> next;
  for (const std::string& body : inbox.bodies()) {
    EXPECT_EQ(body.substr(2), std::to_string(next[body[0]]++)) << body;
  }
}

TYPED_TEST_P(BrokerConformance, ReceiversMayPublish) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  Inbox inbox;
  const std::string topic = UniqueTopic("ask");
  const auto answers = this->Subscribe(*broker, {.topic = topic + ".answer"}, inbox);
  const auto echo = broker->Subscribe({.topic = topic}, [&](std::string_view, RawMessage message) {
    (void)broker->Publish(topic + ".answer", std::move(message));
  });
  ASSERT_TRUE(echo);
  this->Publish(*broker, topic, "hello");
  ASSERT_TRUE(inbox.WaitFor(1));
  EXPECT_EQ(inbox.bodies()[0], "hello");
}

TYPED_TEST_P(BrokerConformance, WhatIsNoTopicIsRefused) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  const std::string bad[] = {"", " ", "a b", "a..b", ".a", "a.", "a\r\nPUB b 1", "a*", ">x"};
  for (const std::string& topic : bad) {
    const Status published = broker->Publish(topic, {});
    ASSERT_FALSE(published) << topic;
    EXPECT_EQ(published.error().code(), Code::kInvalidArgument);
    const auto subscription = broker->Subscribe({.topic = topic}, [](std::string_view, auto) {});
    ASSERT_FALSE(subscription) << topic;
    EXPECT_EQ(subscription.error().code(), Code::kInvalidArgument);
  }
  EXPECT_FALSE(broker->Publish("a.*", {}));
  EXPECT_FALSE(broker->Publish("a", {.metadata = {{"k", "\xff"}}, .body = {}}));
  EXPECT_FALSE(
      broker->Subscribe({.topic = "a", .queue = "two words"}, [](std::string_view, auto) {}));
}

TYPED_TEST_P(BrokerConformance, NothingGoesOnceDisconnected) {
  const auto broker = this->Connected();
  if (!broker) GTEST_SKIP();
  Inbox inbox;
  const std::string topic = UniqueTopic("gone");
  auto subscription = this->Subscribe(*broker, {.topic = topic}, inbox);
  broker->Disconnect(std::chrono::seconds(5));
  const Status published = broker->Publish(topic, {});
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code(), Code::kFailedPrecondition);
  EXPECT_FALSE(broker->Subscribe({.topic = topic}, inbox.receiver()));
  EXPECT_EQ(inbox.size(), 0U);
  subscription.Stop();
}

TYPED_TEST_P(BrokerConformance, WhatWasPublishedLeavesBeforeTheEnd) {
  const auto listener = this->Connected();
  if (!listener) GTEST_SKIP();
  auto publisher = this->Connected();
  Inbox inbox;
  const std::string topic = UniqueTopic("last");
  const auto subscription = this->Subscribe(*listener, {.topic = topic}, inbox);
  this->Meet(*publisher, topic, inbox);
  for (int i = 0; i < 100; ++i) this->Publish(*publisher, topic, std::to_string(i));
  publisher->Disconnect(std::chrono::seconds(10));
  publisher.reset();
  EXPECT_TRUE(inbox.WaitForBody("99"));
}

REGISTER_TYPED_TEST_SUITE_P(BrokerConformance, DeliversWhatWasPublished,
                            KeepsTheOrderOfOnePublisher, EverySubscriptionGetsEveryMessage,
                            OneOfAQueueGetsEachMessage, PatternsTakeInWhatFits,
                            AQueueOnAPatternIsOneGroup, NothingComesOnceASubscriptionHasEnded,
                            ASubscriptionMayEndWhileMessagesFlow, ManyThreadsPublish,
                            ReceiversMayPublish, WhatIsNoTopicIsRefused,
                            NothingGoesOnceDisconnected, WhatWasPublishedLeavesBeforeTheEnd);
// NOLINTEND

}  // namespace micro::testing
