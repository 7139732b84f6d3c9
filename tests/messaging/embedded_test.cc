#include "broker/embedded/embedded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/metrics.h>
#include <micro/testing/broker_conformance.h>

#include "base/address.h"
#include "eventually.h"
#include "log_lines.h"
#include "nats_server.h"
#include "registry/memory/memory.h"
#include "socket.h"

namespace micro::testing {

struct EmbeddedBrokers {
  std::shared_ptr<Broker> Make() {
    return MakeEmbeddedBroker({.addresses = {"127.0.0.1:0"}, .registry = registry}).value();
  }
  std::shared_ptr<Registry> registry = MakeMemoryRegistry({}).value();
};
INSTANTIATE_TYPED_TEST_SUITE_P(Embedded, BrokerConformance, EmbeddedBrokers);

}  // namespace micro::testing

namespace micro::messaging {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Inbox;

constexpr std::string_view kService = "go.micro.nats.broker";

class EmbeddedTest : public ::testing::Test {
 protected:
  BrokerConfig Config(std::string secret = "") {
    return {.addresses = {"127.0.0.1:0"},
            .logger = log_,
            .registry = registry_,
            .secret = std::move(secret)};
  }
  static std::shared_ptr<Broker> Connected(const BrokerConfig& config) {
    auto broker = MakeEmbeddedBroker(config).value();
    const Status connected = broker->Connect();
    EXPECT_TRUE(connected) << connected.error().ToString();
    return broker;
  }
  std::shared_ptr<Broker> Connected() { return Connected(Config()); }
  Subscription Listen(Broker& broker, Inbox& inbox) {
    auto subscription = broker.Subscribe({.topic = "a"}, inbox.receiver());
    EXPECT_TRUE(subscription);
    return std::move(*subscription);
  }
  static Status Say(Broker& broker, std::string body) {
    return broker.Publish("a", {.metadata = {}, .body = std::move(body)});
  }
  std::vector<Node> Registered() const {
    std::vector<Node> nodes;
    const auto found = registry_->GetService(kService);
    for (const auto& service : found.value_or(std::vector<ServiceInfo>())) {
      EXPECT_EQ(service.version, "v2");
      nodes.insert(nodes.end(), service.nodes.begin(), service.nodes.end());
    }
    return nodes;
  }
  // Whether something said by `from` comes within a while.
  static bool Reaches(Broker& from, Inbox& inbox, const std::string& word) {
    return Eventually([&] {
      EXPECT_TRUE(Say(from, word));
      std::this_thread::sleep_for(5ms);
      return inbox.Count(word) > 0;
    });
  }

  std::shared_ptr<LogLines> log_ = std::make_shared<LogLines>();
  std::shared_ptr<Registry> registry_ = MakeMemoryRegistry({}).value();
  Inbox inbox_;
};

TEST_F(EmbeddedTest, RegistersAsGoMicroDoes) {
  const auto broker = Connected();
  ASSERT_TRUE(Eventually([&] { return Registered().size() == 1; }));
  const Node node = Registered()[0];
  EXPECT_EQ(node.id.size(), 56U);
  EXPECT_EQ(node.id[0], 'N');
  EXPECT_TRUE(node.metadata.empty());
  const auto address = ParseHostPort(node.address);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(broker->name(), "eats");
}

TEST_F(EmbeddedTest, LeavesTheRegistryAtItsEnd) {
  auto broker = Connected();
  ASSERT_TRUE(Eventually([&] { return Registered().size() == 1; }));
  broker.reset();
  EXPECT_TRUE(Registered().empty());
}

TEST_F(EmbeddedTest, NothingIsStartedBeforeItIsUsed) {
  const auto broker = MakeEmbeddedBroker(Config()).value();
  EXPECT_TRUE(Registered().empty());
}

TEST_F(EmbeddedTest, WhatIsPublishedFirstReachesThoseThatWereThere) {
  const auto listener = Connected();
  const auto subscription = Listen(*listener, inbox_);
  ASSERT_TRUE(Eventually([&] { return Registered().size() == 1; }));
  auto publisher = Connected();
  ASSERT_TRUE(Say(*publisher, "at once"));
  publisher->Disconnect(10s);
  publisher.reset();
  EXPECT_TRUE(inbox_.WaitForBody("at once"));
}

TEST_F(EmbeddedTest, ThoseThatComeLaterAreReachedToo) {
  const auto first = Connected();
  const auto second = Connected();
  const auto subscription = Listen(*first, inbox_);
  EXPECT_TRUE(Reaches(*second, inbox_, "second"));
  const auto third = Connected();
  EXPECT_TRUE(Reaches(*third, inbox_, "third"));
}

TEST_F(EmbeddedTest, AMessageComesOnce) {
  std::vector<std::shared_ptr<Broker>> brokers;
  std::vector<Inbox> inboxes(3);
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < 3; ++i) {
    brokers.push_back(Connected());
    subscriptions.push_back(Listen(*brokers.back(), inboxes[static_cast<std::size_t>(i)]));
  }
  for (std::size_t from = 0; from < 3; ++from) {
    for (Inbox& inbox : inboxes) {
      ASSERT_TRUE(Reaches(*brokers[from], inbox, "meet" + std::to_string(from)));
    }
  }
  for (int i = 0; i < 100; ++i) {
    for (auto& broker : brokers) ASSERT_TRUE(Say(*broker, "x"));
  }
  for (std::size_t from = 0; from < 3; ++from) {
    ASSERT_TRUE(Say(*brokers[from], "end" + std::to_string(from)));
    for (Inbox& inbox : inboxes) ASSERT_TRUE(inbox.WaitForBody("end" + std::to_string(from)));
  }
  for (const Inbox& inbox : inboxes) EXPECT_EQ(inbox.Count("x"), 300U);
}

TEST_F(EmbeddedTest, WhoDoesNotKnowTheSecretStaysOutside) {
  const auto one = Connected(Config("open sesame"));
  const auto two = Connected(Config("open sesame"));
  const auto stranger = Connected(Config("open barley"));
  const auto nobody = Connected(Config());
  Inbox heard;
  Inbox overheard;
  const auto a = Listen(*one, heard);
  const auto b = Listen(*stranger, overheard);
  const auto c = Listen(*nobody, overheard);
  ASSERT_TRUE(Eventually([&] { return Registered().size() == 4; }));
  ASSERT_TRUE(Reaches(*two, heard, "members"));
  ASSERT_TRUE(Say(*stranger, "stranger"));
  ASSERT_TRUE(Say(*nobody, "nobody"));
  ASSERT_TRUE(overheard.WaitForBody("nobody"));
  ASSERT_TRUE(Reaches(*two, heard, "members again"));
  EXPECT_EQ(heard.Count("stranger") + heard.Count("nobody"), 0U);
  EXPECT_EQ(overheard.Count("members"), 0U);
  EXPECT_FALSE(log_->Has("sesame"));
}

TEST_F(EmbeddedTest, ARegistryThatIsAwayHoldsUpNobody) {
  struct Away final : Registry {
    std::string_view name() const override { return "away"; }
    Status Register(const ServiceInfo&, const RegisterOptions&) override {
      return Unavailable("away");
    }
    Status Deregister(const ServiceInfo&) override { return Ok(); }
    Result<std::vector<ServiceInfo>> GetService(std::string_view) override {
      std::this_thread::sleep_for(3s);
      return Unavailable("away");
    }
    Result<std::vector<ServiceInfo>> ListServices() override { return Unavailable("away"); }
    Result<Subscription> Watch(std::string_view, Watcher) override { return Unavailable("away"); }
  };
  BrokerConfig config = Config();
  config.registry = std::make_shared<Away>();
  const auto broker = Connected(config);
  const auto subscription = Listen(*broker, inbox_);
  ASSERT_TRUE(Say(*broker, "to ourselves"));
  EXPECT_TRUE(inbox_.WaitForBody("to ourselves"));
  EXPECT_TRUE(Eventually([&] { return log_->Has("cannot look for other brokers"); }));
}

TEST_F(EmbeddedTest, MeshesWithARealServer) {
  if (!NatsServer::Installed()) GTEST_SKIP() << "nats-server is not installed";
  const int port = FreePort();
  NatsServer server({"--cluster", "nats://127.0.0.1:" + std::to_string(port)});
  server.Start();
  const ServiceInfo record{
      .name = std::string(kService),
      .version = "v2",
      .nodes = {{.id = "N-real", .address = "127.0.0.1:" + std::to_string(port)}}};
  ASSERT_TRUE(registry_->Register(record, {}));
  const auto broker = Connected();
  const auto subscription = Listen(*broker, inbox_);
  auto socket = e2e::Socket::Dial(server.address());
  const std::string hello = R"({"Header":{},"Body":"aGVsbG8="})";
  const std::string line = "PUB a " + std::to_string(hello.size()) + "\r\n" + hello + "\r\n";
  ASSERT_TRUE(socket.Send("CONNECT {\"verbose\":false}\r\n"));
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(socket.Send(line));
    std::this_thread::sleep_for(5ms);
    return inbox_.Count("hello") > 0;
  })) << server.log();
}

TEST(EmbeddedSettingsTest, WhatIsWrongIsSaidAtOnce) {
  const auto complaint = [](std::vector<std::string> addresses) {
    const auto made = MakeEmbeddedBroker({.addresses = std::move(addresses)});
    return made ? "accepted" : made.error().detail();
  };
  EXPECT_THAT(complaint({"a", "b"}), HasSubstr("--broker_address"));
  EXPECT_THAT(complaint({"nowhere"}), HasSubstr("--broker_address: "));
  EXPECT_EQ(complaint({":0"}), "accepted");
  for (const BrokerConfig& config : {BrokerConfig{.token = "x"}, BrokerConfig{.tls = true}}) {
    const auto made = MakeEmbeddedBroker(config);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().detail(), HasSubstr("it is for --broker=nats"));
  }
}

TEST(EmbeddedSettingsTest, APortThatIsTakenIsAnError) {
  const auto first = MakeEmbeddedBroker({.addresses = {"127.0.0.1:0"}}).value();
  const int port = FreePort();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  const auto one = MakeEmbeddedBroker({.addresses = {address}}).value();
  const auto two = MakeEmbeddedBroker({.addresses = {address}}).value();
  ASSERT_TRUE(one->Connect());
  EXPECT_FALSE(two->Connect());
}

}  // namespace
}  // namespace micro::messaging
