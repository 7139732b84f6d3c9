#include "events/jetstream/jetstream.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/testing/events_conformance.h>

#include "eventually.h"
#include "log_lines.h"
#include "nats_server.h"

namespace micro::testing {

struct JetStreams {
  JetStreams() { Begin(); }
  std::shared_ptr<Events> Make() {
    EventsConfig config;
    config.server.addresses = {server.address()};
    return MakeJetStreamEvents(config).value();
  }
  void Begin() {
    if (!messaging::NatsServer::Installed()) GTEST_SKIP() << "nats-server is not installed";
    server.Start();
  }
  messaging::NatsServer server{{"-js"}};
};
INSTANTIATE_TYPED_TEST_SUITE_P(JetStream, EventsConformance, JetStreams);

}  // namespace micro::testing

namespace micro::messaging {
namespace {

using namespace std::chrono_literals;
using testing::Hands;
using ::testing::HasSubstr;

class JetStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NatsServer::Installed()) GTEST_SKIP() << "nats-server is not installed";
  }
  std::shared_ptr<Events> Make(const NatsServer& server) {
    EventsConfig config;
    config.server.addresses = {server.address()};
    config.server.logger = log_;
    return MakeJetStreamEvents(config).value();
  }
  static Result<Stored> Append(Events& events, std::string body, AppendOptions options = {}) {
    return events.Append("a", {.metadata = {}, .body = std::move(body)}, options);
  }

  std::shared_ptr<LogLines> log_ = std::make_shared<LogLines>();
  NatsServer server_{{"-js"}};
};

TEST_F(JetStreamTest, AServerWithoutJetStreamIsAnErrorThatSaysSo) {
  NatsServer plain;
  plain.Start();
  const auto events = Make(plain);
  const Status connected = events->Connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(connected.error().detail(), HasSubstr("has no JetStream (nats-server -js)"));
  EXPECT_FALSE(Append(*events, "x", {.timeout = 1s}));
}

TEST_F(JetStreamTest, AServerThatIsAwayIsAnErrorThatSaysSo) {
  const auto events = Make(server_);
  const Status connected = events->Connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code(), Code::kUnavailable);
  EXPECT_THAT(connected.error().detail(), HasSubstr("cannot connect to NATS at nats://127.0.0.1:"));
}

TEST_F(JetStreamTest, WhatIsAppendedWhileTheServerIsAwayIsStoredWhenItIsBack) {
  server_.Start();
  const auto events = Make(server_);
  ASSERT_TRUE(events->Connect());
  server_.Kill();
  std::thread back([&] {
    std::this_thread::sleep_for(500ms);
    server_.Start();
  });
  const auto stored = Append(*events, "x", {.timeout = 30s});
  back.join();
  EXPECT_TRUE(stored) << stored.error().ToString();
}

TEST_F(JetStreamTest, EventsAndGroupsOutliveTheServer) {
  server_.Start();
  const auto events = Make(server_);
  Hands hands;
  const auto subscription = events->Consume("a", {.group = "g"}, hands.consumer());
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(Append(*events, "1"));
  ASSERT_TRUE(hands.WaitFor(1));
  server_.Kill();
  server_.Start();
  ASSERT_TRUE(Append(*events, "2", {.timeout = 30s}));
  ASSERT_TRUE(hands.WaitFor(2));
  EXPECT_EQ(hands.bodies(), (std::vector<std::string>{"1", "2"}));
}

TEST_F(JetStreamTest, AConsumerWithoutAGroupGoesOnAfterTheServerForgotIt) {
  server_.Start();
  const auto events = Make(server_);
  Hands hands;
  const auto subscription = events->Consume("a", {}, hands.consumer());
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(Append(*events, "1"));
  ASSERT_TRUE(hands.WaitFor(1));
  server_.Kill();
  server_.Start();
  ASSERT_TRUE(Append(*events, "2", {.timeout = 30s}));
  ASSERT_TRUE(hands.WaitFor(2));
  EXPECT_EQ(hands.bodies()[1], "2");
}

TEST_F(JetStreamTest, AnEventThatIsTooLargeIsRefused) {
  server_.Start();
  const auto events = Make(server_);
  const auto stored = Append(*events, std::string(2U << 20U, 'x'));
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code(), Code::kResourceExhausted);
}

TEST_F(JetStreamTest, StoppingDoesNotWaitForEvents) {
  server_.Start();
  const auto events = Make(server_);
  Hands hands;
  auto subscription = events->Consume("a", {.group = "g"}, hands.consumer());
  ASSERT_TRUE(subscription);
  const auto began = std::chrono::steady_clock::now();
  subscription->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);  // it asks for five
}

TEST(JetStreamSettingsTest, WhatIsWrongIsSaidAtOnce) {
  const auto complaint = [](EventsConfig config) {
    const auto made = MakeJetStreamEvents(config);
    return made ? "accepted" : made.error().detail();
  };
  EXPECT_THAT(complaint({.stream = "a.b"}), HasSubstr("--events_stream"));
  EXPECT_THAT(complaint({.replicas = 0}), HasSubstr("--events_replicas"));
  EXPECT_THAT(complaint({.server = {.addresses = {"a:b"}}}), HasSubstr("--events_address"));
}

}  // namespace
}  // namespace micro::messaging
