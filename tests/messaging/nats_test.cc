#include "broker/nats/nats.h"

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/metrics.h>
#include <micro/testing/broker_conformance.h>

#include "eventually.h"
#include "log_lines.h"
#include "nats/nkey.h"
#include "nats_server.h"
#include "socket.h"

namespace micro::testing {

struct NatsBrokers {
  NatsBrokers() { Begin(); }
  std::shared_ptr<Broker> Make() {
    return MakeNatsBroker({.addresses = {server.address()}}).value();
  }
  void Begin() {
    if (!messaging::NatsServer::Installed()) GTEST_SKIP() << "nats-server is not installed";
    server.Start();
  }
  messaging::NatsServer server;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Nats, BrokerConformance, NatsBrokers);

}  // namespace micro::testing

namespace micro::messaging {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Inbox;

class NatsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NatsServer::Installed()) GTEST_SKIP() << "nats-server is not installed";
  }
  void TearDown() override { broker_.reset(); }

  BrokerConfig Config(const NatsServer& server) {
    return {.addresses = {server.address()}, .logger = log_, .metrics = &metrics_};
  }
  Broker& Connect(const BrokerConfig& config) {
    auto made = MakeNatsBroker(config);
    EXPECT_TRUE(made) << made.error().ToString();
    broker_ = made.value_or(nullptr);
    EXPECT_TRUE(broker_->Connect());
    return *broker_;
  }
  Subscription Listen(Broker& broker) {
    auto subscription = broker.Subscribe({.topic = "a"}, inbox_.receiver());
    EXPECT_TRUE(subscription);
    return std::move(*subscription);
  }
  static Status Say(Broker& broker, std::string body) {
    return broker.Publish("a", {.metadata = {}, .body = std::move(body)});
  }
  // Whether a message that is published comes back.
  bool ComesBack(Broker& broker) {
    const auto subscription = Listen(broker);
    return Say(broker, "hello") && inbox_.WaitForBody("hello");
  }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  double Number(const std::string& name) const {
    const std::string page = metrics_.Text();
    const std::size_t at = page.find("\n" + name + " ");
    return at == page.npos ? -1 : std::stod(page.substr(at + name.size() + 2));
  }

  std::shared_ptr<LogLines> log_ = std::make_shared<LogLines>();
  Metrics metrics_;
  Inbox inbox_;
  NatsServer server_;
  std::shared_ptr<Broker> broker_;
};

TEST_F(NatsTest, ABrokerThatIsAwayIsWaitedForInBackground) {
  Broker& broker = Connect(Config(server_));
  const auto subscription = Listen(broker);
  ASSERT_TRUE(Say(broker, "early"));
  EXPECT_TRUE(Eventually([&] { return log_->Has("cannot connect to NATS at nats://"); }));
  EXPECT_EQ(inbox_.size(), 0U);
  server_.Start();
  EXPECT_TRUE(inbox_.WaitForBody("early"));
  EXPECT_TRUE(Eventually([&] { return log_->Has("connected to NATS at nats://"); }));
  const std::string text = log_->text();
  EXPECT_EQ(text.find("cannot connect"), text.rfind("cannot connect"));
}

TEST_F(NatsTest, ItComesBackAndKeepsItsSubscriptions) {
  server_.Start();
  Broker& broker = Connect(Config(server_));
  const auto subscription = Listen(broker);
  ASSERT_TRUE(Say(broker, "before"));
  ASSERT_TRUE(inbox_.WaitForBody("before"));
  for (int i = 0; i < 2; ++i) {
    server_.Kill();
    EXPECT_TRUE(Eventually([&] { return Number("micro_broker_connected") == 0; }));
    ASSERT_TRUE(Say(broker, "meanwhile" + std::to_string(i)));
    server_.Start();
    EXPECT_TRUE(inbox_.WaitForBody("meanwhile" + std::to_string(i)));
  }
  EXPECT_TRUE(Eventually([&] { return Number("micro_broker_reconnects_total") == 2; }));
}

TEST_F(NatsTest, WhatDoesNotFitWhileItIsAwayIsRefused) {
  BrokerConfig config = Config(server_);
  config.max_pending = 10'000;
  Broker& broker = Connect(config);
  Status said = Ok();
  for (int i = 0; i < 100 && said; ++i) said = Say(broker, std::string(1000, 'x'));
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(said.error().retry_after());
  EXPECT_THAT(said.error().detail(), HasSubstr("(--broker_max_pending)"));
  EXPECT_EQ(Number("micro_broker_refused_total"), 1);
  server_.Start();
  EXPECT_TRUE(Eventually([&] { return Number("micro_broker_pending_bytes") == 0; }));
  EXPECT_TRUE(Say(broker, "x"));
}

TEST_F(NatsTest, AServerThatHangsHoldsUpNobodyWhoPublishes) {
  server_.Start();
  BrokerConfig config = Config(server_);
  config.max_pending = 4U << 20U;
  Broker& broker = Connect(config);
  ASSERT_TRUE(ComesBack(broker));
  server_.Signal(SIGSTOP);
  const auto began = std::chrono::steady_clock::now();
  Status said = Ok();
  for (int i = 0; i < 100 && said; ++i) said = Say(broker, std::string(500'000, 'x'));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);  // libnats alone waits for the socket
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code(), Code::kResourceExhausted);
  server_.Signal(SIGCONT);
}

TEST_F(NatsTest, AMessageThatTheServerDoesNotTakeIsRefused) {
  server_.Start();
  Broker& broker = Connect(Config(server_));
  ASSERT_TRUE(ComesBack(broker));
  const Status said = Say(broker, std::string(1'000'000, 'x'));  // a third more in its envelope
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(said.error().detail(), HasSubstr("max_payload"));
  EXPECT_TRUE(Say(broker, std::string(700'000, 'x')));
}

TEST_F(NatsTest, GarbageIsPassedOver) {
  server_.Start();
  Broker& broker = Connect(Config(server_));
  const auto subscription = Listen(broker);
  auto socket = e2e::Socket::Dial(server_.address());
  ASSERT_TRUE(
      socket.Send("CONNECT {\"verbose\":false}\r\nPUB a 7\r\ngarbage\r\nPUB a 0\r\n\r\n"
                  "PUB a 36\r\n{\"Header\":{\"A\":\"1\"},\"Body\":\"aGk=\"}  \r\nPING\r\n"));
  ASSERT_TRUE(inbox_.WaitForBody("hi"));
  EXPECT_EQ(inbox_.size(), 1U);
  EXPECT_EQ(Number("micro_broker_malformed_total"), 2);
  EXPECT_TRUE(log_->Has("messages on a, the last because of: "));
}

TEST_F(NatsTest, UserAndPasswordOpenTheDoor) {
  NatsServer server({"--user", "ann", "--pass", "secret"});
  server.Start();
  BrokerConfig config = Config(server);
  config.username = "ann";
  config.password = "secret";
  EXPECT_TRUE(ComesBack(Connect(config)));
}

TEST_F(NatsTest, TheAddressMayCarryThemAndLogsDoNotShowThem) {
  NatsServer server({"--user", "ann", "--pass", "secret"});
  BrokerConfig config = Config(server);
  config.addresses = {"nats://ann:secret@" + server.address()};
  Broker& broker = Connect(config);
  ASSERT_TRUE(Eventually([&] { return log_->Has("cannot connect to NATS at nats://…@"); }));
  server.Start();
  EXPECT_TRUE(ComesBack(broker));
  EXPECT_FALSE(log_->Has("secret")) << log_->text();
}

TEST_F(NatsTest, AWrongPasswordIsSaidAndTriedAgain) {
  NatsServer server({"--user", "ann", "--pass", "secret"});
  server.Start();
  BrokerConfig config = Config(server);
  config.username = "ann";
  config.password = "guess";
  Connect(config);
  EXPECT_TRUE(Eventually([&] { return log_->Has("uthorization") || log_->Has("uthentication"); }))
      << log_->text();
  EXPECT_FALSE(log_->Has("guess"));
}

TEST_F(NatsTest, ATokenOpensTheDoor) {
  NatsServer server({"--auth", "letmein"});
  server.Start();
  BrokerConfig config = Config(server);
  config.token = "letmein";
  EXPECT_TRUE(ComesBack(Connect(config)));
}

// A pair of nsc's.
constexpr std::string_view kSeed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr std::string_view kUser = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

TEST(NkeyTest, APublicKeyComesOfASeed) { EXPECT_EQ(nats::PublicNkey(kSeed).value_or(""), kUser); }

TEST(NkeyTest, WhatIsNoSeedIsRefusedAndNotQuoted) {
  std::string flipped(kSeed);
  flipped[20] = flipped[20] == 'A' ? 'B' : 'A';
  for (const std::string& text : {std::string(), std::string("SU"), std::string(kUser), flipped,
                                  std::string(kSeed) + "A", std::string("su!")}) {
    const auto key = nats::PublicNkey(text);
    ASSERT_FALSE(key) << text;
    if (text.size() < 3) continue;
    EXPECT_EQ(key.error().detail().find(text), std::string::npos);
  }
}

TEST_F(NatsTest, AnNkeyOpensTheDoor) {
  const std::string file = server_ / "server.conf";
  Write(file, "authorization { users = [ { nkey: " + std::string(kUser) + " } ] }\n");
  NatsServer server({"-c", file});
  server.Start();
  BrokerConfig config = Config(server);
  config.nkey_seed = server_ / "seed";
  Write(config.nkey_seed, std::string(kSeed) + "\n");
  EXPECT_TRUE(ComesBack(Connect(config)));
}

class NatsTlsTest : public NatsTest {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    ca_.Write(folder_ / "ca.pem");
    ca_.Issue(folder_ / "cert.pem", folder_ / "key.pem", "IP:127.0.0.1,DNS:nats.example");
    ca_.Issue(folder_ / "client.pem", folder_ / "client.key", "DNS:client");
    ca_.Issue(folder_ / "other.pem", folder_ / "other.key", "DNS:other.example");
  }
  std::vector<std::string> Serves(const std::string& name, bool verify = false) const {
    std::vector<std::string> flags = {"--tls", "--tlscert", folder_ / (name + ".pem"), "--tlskey",
                                      folder_ / (name == "cert" ? "key.pem" : name + ".key")};
    if (verify) flags.insert(flags.end(), {"--tlsverify", "--tlscacert", folder_ / "ca.pem"});
    return flags;
  }

  const net::testing::Folder folder_;
  const net::testing::Ca ca_;
};

TEST_F(NatsTlsTest, SpeaksTlsToServersThatItCanVerify) {
  NatsServer server(Serves("cert"));
  server.Start();
  BrokerConfig config = Config(server);
  config.tls_ca = folder_ / "ca.pem";
  EXPECT_TRUE(ComesBack(Connect(config)));
}

TEST_F(NatsTlsTest, ShowsItsOwnCertificate) {
  NatsServer server(Serves("cert", true));
  server.Start();
  BrokerConfig config = Config(server);
  config.tls_ca = folder_ / "ca.pem";
  config.tls_cert = folder_ / "client.pem";
  config.tls_key = folder_ / "client.key";
  EXPECT_TRUE(ComesBack(Connect(config)));
}

TEST_F(NatsTlsTest, TheServersNameMayBeSaid) {
  NatsServer server(Serves("other"));
  server.Start();
  BrokerConfig config = Config(server);
  config.tls_ca = folder_ / "ca.pem";
  config.tls_server_name = "other.example";
  EXPECT_TRUE(ComesBack(Connect(config)));
}

TEST_F(NatsTlsTest, ACertificateForAnotherNameIsRefused) {
  NatsServer server(Serves("other"));
  server.Start();
  BrokerConfig config = Config(server);
  config.tls_ca = folder_ / "ca.pem";
  Broker& broker = Connect(config);
  EXPECT_TRUE(Eventually([&] { return log_->Has("cannot connect to NATS at tls://"); }));
  EXPECT_TRUE(Say(broker, "x"));
  EXPECT_EQ(Number("micro_broker_connected"), 0);
  EXPECT_GT(Number("micro_broker_pending_bytes"), 0);
}

TEST_F(NatsTlsTest, ACertificateOfAStrangersIsRefused) {
  NatsServer server(Serves("cert"));
  server.Start();
  BrokerConfig config = Config(server);
  const net::testing::Ca stranger;
  stranger.Write(folder_ / "stranger.pem");
  config.tls_ca = folder_ / "stranger.pem";
  Connect(config);
  EXPECT_TRUE(Eventually([&] { return log_->Has("cannot connect to NATS at tls://"); }));
  EXPECT_EQ(Number("micro_broker_connected"), 0);
}

std::string Complaint(const BrokerConfig& config) {
  const auto broker = MakeNatsBroker(config);
  if (broker) return "accepted";
  EXPECT_EQ(broker.error().phase(), Phase::kConfigure);
  return broker.error().detail();
}

TEST(NatsSettingsTest, WhatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(Complaint({.addresses = {"nats://"}}), HasSubstr("is no address of a NATS server"));
  EXPECT_THAT(Complaint({.addresses = {"a:b"}}), HasSubstr("--broker_address: \"a:b\""));
  EXPECT_THAT(Complaint({.addresses = {"http://x:1"}}), HasSubstr("--broker_address"));
  EXPECT_THAT(Complaint({.nkey_seed = "/nonexistent"}), HasSubstr("--broker_nkey: cannot read"));
  EXPECT_THAT(Complaint({.credentials = "/nonexistent"}),
              HasSubstr("--broker_credentials: cannot read"));
  EXPECT_THAT(Complaint({.tls_ca = "/nonexistent"}), HasSubstr("--broker_tls_ca: "));
  EXPECT_THAT(Complaint({.tls_cert = "/nonexistent"}), HasSubstr("go together"));
  EXPECT_THAT(Complaint({.addresses = {"a", "b"}, .tls = true}),
              HasSubstr("--broker_tls_server_name"));
}

TEST(NatsSettingsTest, AddressesMayLackSchemeAndPort) {
  for (const std::string address :
       {"localhost", "localhost:4222", "nats://localhost", "nats://u:p@localhost:1/", "[::1]:4222",
        "tls://localhost", "nats://[::1]"}) {
    EXPECT_EQ(Complaint({.addresses = {address}}), "accepted") << address;
  }
}

}  // namespace
}  // namespace micro::messaging
