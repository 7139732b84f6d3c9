#include "registry/dns/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "micro/metrics.h"
#include "micro/testing/registry_conformance.h"

#include "registry/dns/testing/fake_dns.h"

namespace micro::dns_registry {
namespace {

using namespace std::chrono_literals;
using dns::A;
using dns::Aaaa;
using dns::Cname;
using dns::Message;
using dns::Name;
using dns::Record;
using dns::Srv;
using dns::Type;
using micro::testing::ChangeLog;
using micro::testing::Eventually;
using ::testing::AllOf;
using testing::AnswerTo;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FakeDns;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

Name N(std::string_view text) { return Name::FromText(text).value(); }
Record RecordOf(std::string_view name, dns::RecordData data, std::uint32_t ttl = 30) {
  return {.name = N(name), .ttl = ttl, .data = std::move(data)};
}

constexpr std::uint16_t kServFail = 2;
constexpr std::uint16_t kNxDomain = 3;

// Records by what is asked; what is not there does not exist.
class Zone {
 public:
  void Set(const std::string& question, std::vector<Record> records) {
    const std::scoped_lock lock(mutex_);
    records_[question] = std::move(records);
  }
  void FailWith(std::uint16_t rcode) { rcode_ = rcode; }

  std::vector<std::string> Answer(const FakeDns::Heard& heard) {
    const std::scoped_lock lock(mutex_);
    const auto at = records_.find(FakeDns::Heard{.query = heard.query}.Text());
    if (rcode_ != 0 || at == records_.end()) {
      return {Build(AnswerTo(heard.query, rcode_ != 0 ? rcode_.load() : kNxDomain)).value()};
    }
    Message answer = AnswerTo(heard.query);
    answer.answers = at->second;
    return {Build(answer).value()};
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Record>> records_;
  std::atomic<std::uint16_t> rcode_ = 0;
};

class DnsRegistryTest : public ::testing::Test {
 protected:
  static std::shared_ptr<Registry> At(const FakeDns& server, std::vector<std::string> more = {},
                                      Metrics* metrics = nullptr) {
    more.push_back(server.address());
    return MakeDnsRegistry({.addresses = std::move(more), .timeout = 20s, .metrics = metrics})
        .value();
  }

  static std::vector<std::string> Find(Registry& registry, const std::string& name) {
    const auto found = registry.GetService(name);
    if (!found) return {found.error().detail()};
    std::vector<std::string> addresses;
    for (const Node& node : (*found)[0].nodes) addresses.push_back(node.address);
    return addresses;
  }

  Zone zone_;
  FakeDns server_{[this](const FakeDns::Heard& heard) { return zone_.Answer(heard); }};
  const std::shared_ptr<Registry> registry_ = At(server_);
};

TEST_F(DnsRegistryTest, AHostWithAPortHasANodeForEachAddress) {
  zone_.Set("A greeter.example.", {});
  zone_.Set("A greeter.example", {RecordOf("greeter.example", A{{10, 0, 0, 1}}),
                                  RecordOf("greeter.example", A{{10, 0, 0, 2}})});
  const auto found = registry_->GetService("greeter.example.:8080");
  ASSERT_TRUE(found) << found.error().detail();
  EXPECT_EQ((*found)[0].name, "greeter.example.:8080");
  EXPECT_EQ((*found)[0].version, "latest");
  EXPECT_THAT(
      (*found)[0].nodes,
      ElementsAre(Node{.id = "greeter.example.:8080-10.0.0.1:8080", .address = "10.0.0.1:8080"},
                  Node{.id = "greeter.example.:8080-10.0.0.2:8080", .address = "10.0.0.2:8080"}));
  EXPECT_THAT(server_.heard(), ElementsAre("A greeter.example")) << "no AAAA where there is an A";
}

TEST_F(DnsRegistryTest, AHostWithoutIPv4IsFoundByIPv6) {
  zone_.Set("A six.example", {});
  zone_.Set("AAAA six.example", {RecordOf("six.example", Aaaa{{0xfd, 0, 0, 1}})});
  EXPECT_THAT(Find(*registry_, "six.example.:80"), ElementsAre("[fd00:1::]:80"));
}

TEST_F(DnsRegistryTest, ANameWithoutAPortIsThatOfSrvRecords) {
  zone_.Set("SRV _grpc._tcp.greeter.example",
            {RecordOf("_grpc._tcp.greeter.example", Srv{0, 1, 8080, N("pod-1.example")}),
             RecordOf("_grpc._tcp.greeter.example", Srv{0, 3, 8081, N("pod-2.example")}),
             RecordOf("_grpc._tcp.greeter.example", Srv{5, 1, 1, N("spare.example")})});
  zone_.Set("A pod-1.example", {RecordOf("pod-1.example", A{{10, 0, 0, 1}})});
  zone_.Set("A pod-2.example", {RecordOf("POD-2.example", A{{10, 0, 0, 2}})});
  const auto found = registry_->GetService("greeter.example.");
  ASSERT_TRUE(found) << found.error().detail();
  const auto& nodes = (*found)[0].nodes;
  ASSERT_EQ(nodes.size(), 2U) << "of two priorities the first";
  EXPECT_EQ(nodes[0].address, "10.0.0.1:8080");
  EXPECT_EQ(nodes[1].address, "10.0.0.2:8081");
  EXPECT_EQ(std::stod(nodes[0].metadata.at("weight")), 0.5);
  EXPECT_EQ(std::stod(nodes[1].metadata.at("weight")), 1.5);
}

TEST_F(DnsRegistryTest, AddressesThatComeAlongAreNotAskedFor) {
  const FakeDns server([](const FakeDns::Heard& heard) {
    Message answer = AnswerTo(heard.query);
    answer.answers = {RecordOf("_x._tcp.a.example", Srv{0, 0, 80, N("pod.example")})};
    answer.additional = {RecordOf("pod.example", A{{10, 0, 0, 7}})};
    return std::vector{Build(answer).value()};
  });
  EXPECT_THAT(Find(*At(server), "_x._tcp.a.example."), ElementsAre("10.0.0.7:80"));
  EXPECT_THAT(server.heard(), ElementsAre("SRV _x._tcp.a.example"));
}

TEST_F(DnsRegistryTest, AServiceMayBeCalledOtherwiseThanInDns) {
  const auto registry =
      At(server_, {"greeter=pods.example.:9000", "other=_x._tcp.example.", "fixed=10.9.9.9:1"});
  zone_.Set("A pods.example", {RecordOf("pods.example", A{{10, 0, 0, 3}})});
  EXPECT_THAT(Find(*registry, "greeter"), ElementsAre("10.0.0.3:9000"));
  EXPECT_THAT(Find(*registry, "fixed"), ElementsAre("10.9.9.9:1"));
  const auto all = registry->ListServices().value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].name, "greeter");
}

TEST_F(DnsRegistryTest, AliasesAreFollowedWithinAnAnswerAndBeyond) {
  zone_.Set("A www.example", {RecordOf("www.example", Cname{N("b.example")}),
                              RecordOf("b.example", A{{10, 0, 0, 4}})});
  zone_.Set("A far.example", {RecordOf("far.example", Cname{N("www.example")})});
  zone_.Set("A loop.example", {RecordOf("loop.example", Cname{N("loop.example")})});
  EXPECT_THAT(Find(*registry_, "www.example.:1"), ElementsAre("10.0.0.4:1"));
  EXPECT_THAT(Find(*registry_, "far.example.:1"), ElementsAre("10.0.0.4:1"));
  EXPECT_EQ(registry_->GetService("loop.example.:1").error().code(), Code::kUnavailable);
}

TEST_F(DnsRegistryTest, WhatDoesNotFitInADatagramIsAskedForOverTcp) {
  const FakeDns server([](const FakeDns::Heard& heard) {
    Message answer = AnswerTo(heard.query);
    if (!heard.tcp) answer.flags |= dns::kFlagTruncated;
    for (std::uint8_t i = 0; heard.tcp && i < 200; ++i) {
      answer.answers.push_back(RecordOf("many.example", A{{10, 0, 1, i}}));
    }
    return std::vector{Build(answer).value()};
  });
  EXPECT_EQ(Find(*At(server), "many.example.:80").size(), 200U);
  EXPECT_THAT(server.heard(), ElementsAre("A many.example", "tcp A many.example"));
}

TEST_F(DnsRegistryTest, NoSuchNameIsNotFoundAndSaysWhatWasTried) {
  for (const char* name : {"nobody.example.:80", "nobody.example."}) {
    const auto found = registry_->GetService(name);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Code::kNotFound);
    EXPECT_EQ(found.error().phase(), Phase::kResolve);
    EXPECT_THAT(found.error().detail(),
                AllOf(HasSubstr("nobody.example"), HasSubstr(server_.address())));
  }
}

TEST_F(DnsRegistryTest, AServerThatFailsOrIsSilentIsUnavailable) {
  zone_.FailWith(kServFail);
  const auto found = registry_->GetService("a.example.:80");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnavailable);
  EXPECT_EQ(found.error().phase(), Phase::kResolve);
  EXPECT_THAT(found.error().detail(), HasSubstr(server_.address() + " says SERVFAIL"));

  const FakeDns silent([](const FakeDns::Heard&) { return std::vector<std::string>{}; });
  const auto registry =
      MakeDnsRegistry({.addresses = {silent.address()}, .timeout = 200ms}).value();
  const auto none = registry->GetService("a.example.:80");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kUnavailable);
  EXPECT_THAT(none.error().detail(), HasSubstr("no answer from " + silent.address()));
}

TEST_F(DnsRegistryTest, TheNextServerIsAskedWhenOneFails) {
  zone_.FailWith(kServFail);
  Zone good;
  good.Set("A a.example", {RecordOf("a.example", A{{10, 0, 0, 1}})});
  const FakeDns second([&](const FakeDns::Heard& heard) { return good.Answer(heard); });
  const auto registry =
      MakeDnsRegistry({.addresses = {server_.address(), second.address()}, .timeout = 20s}).value();
  EXPECT_THAT(Find(*registry, "a.example.:80"), ElementsAre("10.0.0.1:80"));
}

TEST_F(DnsRegistryTest, AServerThatKnowsNoEdnsIsAskedWithout) {
  const FakeDns old([](const FakeDns::Heard& heard) {
    constexpr std::uint16_t kFormErr = 1;
    const bool edns = !heard.query.additional.empty();
    Message answer = AnswerTo(heard.query, edns ? kFormErr : 0);
    if (!edns) answer.answers = {RecordOf("a.example", A{{10, 0, 0, 1}})};
    return std::vector{Build(answer).value()};
  });
  EXPECT_THAT(Find(*At(old), "a.example.:80"), ElementsAre("10.0.0.1:80"));
}

TEST_F(DnsRegistryTest, WhatIsNoAnswerIsCountedAndTheAnswerAwaited) {
  Metrics metrics;
  const FakeDns server([](const FakeDns::Heard& heard) {
    Message answer = AnswerTo(heard.query);
    answer.answers = {
        RecordOf("a.example", A{{10, 0, 0, 1}}), RecordOf("a.example", A{{0, 0, 0, 0}}),
        RecordOf("a.example", A{{224, 0, 0, 1}}), RecordOf("stranger.example", A{{10, 6, 6, 6}})};
    Message guessed = answer;
    guessed.id = static_cast<std::uint16_t>(answer.id + 1);
    Message other = answer;
    other.questions[0].name = N("b.example");
    const std::string whole = Build(answer).value();
    const std::string cyclic = whole.substr(0, 12) + std::string("\xc0\x0c\0\1\0\1", 6);
    return std::vector{whole.substr(0, whole.size() - 1),
                       std::string(4000, '\xff'),
                       std::string("x"),
                       cyclic,
                       Build(guessed).value(),
                       Build(other).value(),
                       Build(heard.query).value(),
                       whole};
  });
  EXPECT_THAT(Find(*At(server, {}, &metrics), "a.example.:80"), ElementsAre("10.0.0.1:80"));
  EXPECT_THAT(metrics.Text(), HasSubstr("micro_registry_bad_records_total{registry=\"dns\"} 9\n"));
}

TEST_F(DnsRegistryTest, AServiceOnPort0IsPassedOver) {
  zone_.Set("SRV _grpc._tcp.a.example",
            {RecordOf("_grpc._tcp.a.example", Srv{0, 0, 0, N("bad.example")}),
             RecordOf("_grpc._tcp.a.example", Srv{0, 0, 80, N("good.example")}),
             RecordOf("_grpc._tcp.a.example", Srv{0, 0, 81, N("missing.example")})});
  zone_.Set("A good.example", {RecordOf("good.example", A{{10, 0, 0, 1}})});
  EXPECT_THAT(Find(*registry_, "a.example."), ElementsAre("10.0.0.1:80"));
  zone_.Set("SRV _grpc._tcp.none.example",
            {RecordOf("_grpc._tcp.none.example", Srv{0, 0, 0, Name()})});
  EXPECT_EQ(registry_->GetService("none.example.").error().code(), Code::kNotFound);
}

TEST_F(DnsRegistryTest, AWatchFollowsTheRecordsAsTheirTtlRunsOut) {
  zone_.Set("A a.example", {RecordOf("a.example", A{{10, 0, 0, 1}}, 0)});
  ChangeLog log;
  const std::string name = "a.example.:80";
  const auto watch = registry_->Watch(name, log.watcher());
  EXPECT_TRUE(log.WaitForCreate(name + "-10.0.0.1:80"));
  zone_.Set("A a.example", {RecordOf("a.example", A{{10, 0, 0, 2}}, 1)});
  EXPECT_TRUE(log.WaitForCreate(name + "-10.0.0.2:80"));
  EXPECT_TRUE(log.WaitForDelete(name + "-10.0.0.1:80"));
}

TEST_F(DnsRegistryTest, AWatchOutlivesAnOutageAndBelievesTheSecondNo) {
  zone_.Set("A a.example", {RecordOf("a.example", A{{10, 0, 0, 1}}, 0)});
  ChangeLog log;
  const std::string name = "a.example.:80";
  const auto watch = registry_->Watch(name, log.watcher());
  EXPECT_TRUE(log.WaitForCreate(name + "-10.0.0.1:80"));
  zone_.FailWith(kServFail);
  const auto asked = server_.heard().size();
  EXPECT_TRUE(Eventually([&] { return server_.heard().size() >= asked + 6; }));
  EXPECT_EQ(log.size(), 0U);
  zone_.FailWith(kNxDomain);
  EXPECT_TRUE(log.WaitForDelete(name + "-10.0.0.1:80"));
  zone_.FailWith(0);
  EXPECT_TRUE(log.WaitForCreate(name + "-10.0.0.1:80"));
}

TEST_F(DnsRegistryTest, RegisteringDoesNothing) {
  const ServiceInfo service{.name = "s", .nodes = {{.id = "s-1", .address = "x:1"}}};
  EXPECT_TRUE(registry_->Register(service, {}));
  EXPECT_TRUE(registry_->Deregister(service));
  EXPECT_EQ(registry_->Register({.name = "s"}, {}).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(server_.heard().empty());
}

TEST_F(DnsRegistryTest, MisconfigurationIsSaidAtTheStart) {
  for (const char* bad : {"nonsense", "=a:1", "s=", "s=a:0", "s=a..b", "s=:1", "10.0.0.1:x"}) {
    const auto registry = MakeDnsRegistry({.addresses = {bad}});
    ASSERT_FALSE(registry) << bad;
    EXPECT_EQ(registry.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(registry.error().phase(), Phase::kConfigure);
    EXPECT_THAT(registry.error().detail(), HasSubstr("--registry_address=" + std::string(bad)));
  }
}

TEST_F(DnsRegistryTest, NamesDnsCannotCarryAreRejected) {
  for (const std::string& name : {std::string("a..b:1"), std::string(64, 'x') + ":1", std::string(),
                                  std::string(":1"), std::string("a:0")}) {
    EXPECT_EQ(registry_->GetService(name).error().code(), Code::kInvalidArgument) << name;
  }
}

TEST_F(DnsRegistryTest, ItEndsWhileAServerIsSilent) {
  const FakeDns silent([](const FakeDns::Heard&) { return std::vector<std::string>{}; });
  auto registry = MakeDnsRegistry({.addresses = {silent.address()}, .timeout = 1h}).value();
  ChangeLog log;
  auto watch = registry->Watch("a.example.:80", log.watcher());
  ASSERT_TRUE(Eventually([&] { return !silent.heard().empty(); }));
  watch->Stop();
  const auto start = std::chrono::steady_clock::now();
  registry.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

}  // namespace
}  // namespace micro::dns_registry
