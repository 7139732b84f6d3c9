#include <csignal>

#include "etcd/etcd_fixture.h"

// The etcd registry with a real etcd.
namespace micro::e2e {
namespace {

using testing::ChangeLog;

constexpr std::string_view kGoKey =
    "/micro/registry/helloworld/helloworld-5b1d4a1c-0000-4000-8000-000000000001";
// As go-micro writes it.
constexpr std::string_view kGoValue =
    R"({"name":"helloworld","version":"latest","metadata":null,"endpoints":[{"name":"Greeter.Hello",)"
    R"("request":{"name":"Request","type":"Request","values":[{"name":"name","type":"string",)"
    R"("values":null}]},"response":{"name":"Response","type":"Response","values":[{"name":"greeting",)"
    R"("type":"string","values":null}]},"metadata":{}}],"nodes":[{"id":)"
    R"("helloworld-5b1d4a1c-0000-4000-8000-000000000001","address":"192.168.1.10:39117","metadata":)"
    R"({"broker":"http","protocol":"grpc","registry":"mdns","server":"grpc","transport":"grpc"}}]})";

ServiceInfo GoService() {
  return {.name = "helloworld",
          .version = "latest",
          .endpoints = {{.name = "Greeter.Hello",
                         .request = {.name = "Request",
                                     .type = "Request",
                                     .values = {{.name = "name", .type = "string"}}},
                         .response = {.name = "Response",
                                      .type = "Response",
                                      .values = {{.name = "greeting", .type = "string"}}}}},
          .nodes = {{.id = "helloworld-5b1d4a1c-0000-4000-8000-000000000001",
                     .address = "192.168.1.10:39117",
                     .metadata = {{"broker", "http"},
                                  {"protocol", "grpc"},
                                  {"registry", "mdns"},
                                  {"server", "grpc"},
                                  {"transport", "grpc"}}}}};
}

TEST_F(EtcdTest, WritesWhatGoMicroWrites) {
  etcd_.Start();
  const auto registry = Make();
  ASSERT_TRUE(registry->Register(GoService(), {.ttl = 1min}));
  EXPECT_EQ(etcd_.Get(std::string(kGoKey)), kGoValue);
}

TEST_F(EtcdTest, ReadsWhatGoMicroWrites) {
  etcd_.Start();
  etcd_.Put(std::string(kGoKey), std::string(kGoValue));
  EXPECT_EQ(Make()->GetService("helloworld").value(), std::vector{GoService()});
}

TEST_F(EtcdTest, NodesOfOneRegistrationHaveAKeyEachAndOneLease) {
  etcd_.Start();
  const auto registry = Make();
  ServiceInfo service = OneNode("a/b", "1");
  service.nodes.push_back({.id = "a/b-2", .address = "127.0.0.1:9001"});
  ASSERT_TRUE(registry->Register(service, {.ttl = 1min}));
  EXPECT_NE(etcd_.Get("/micro/registry/a-b/a-b-1"), "");
  EXPECT_NE(etcd_.Get("/micro/registry/a-b/a-b-2"), "");
  EXPECT_TRUE(etcd_.Ctl("lease list").starts_with("found 1 leases"));
  EXPECT_TRUE(Finds(*registry, "a/b", 2));
  EXPECT_TRUE(Finds(*registry, "a-b", 0)) << "a service of another name that shares the keys";
  ASSERT_TRUE(registry->Deregister(service));
  EXPECT_EQ(etcd_.Ctl("get --prefix /micro/registry/"), "");
  EXPECT_TRUE(Eventually([&] { return etcd_.Ctl("lease list").starts_with("found 0 leases"); }));
}

TEST_F(EtcdTest, RenewingWritesOnlyWhatOthersHaveChanged) {
  etcd_.Start();
  const auto registry = Make();
  const ServiceInfo service = OneNode("a", "1");
  ASSERT_TRUE(registry->Register(service, {.ttl = 1min}));
  const std::string before = etcd_.Revision();
  ASSERT_TRUE(registry->Register(service, {.ttl = 1min}));
  EXPECT_EQ(etcd_.Revision(), before);
  etcd_.Ctl("del /micro/registry/a/a-1");
  ASSERT_TRUE(registry->Register(service, {.ttl = 1min}));
  EXPECT_TRUE(Finds(*registry, "a", 1));
  etcd_.Put("/micro/registry/a/a-1", "nonsense");
  ASSERT_TRUE(registry->Register(service, {.ttl = 1min}));
  EXPECT_TRUE(Finds(*registry, "a", 1));
}

TEST_F(EtcdTest, AllEventsOfABatchAreTold) {
  etcd_.Start();
  const auto registry = Make();
  ChangeLog log;
  const auto watch = registry->Watch("helloworld", log.watcher());
  ASSERT_TRUE(watch);
  const std::string other = "/micro/registry/helloworld/other";
  const std::string value =
      R"({"name":"helloworld","version":"2","nodes":[{"id":"other","address":"127.0.0.1:1"}]})";
  std::string escaped;
  for (const char c : value) escaped += c == '"' ? std::string("\\\"") : std::string(1, c);
  std::string go;
  for (const char c : kGoValue) go += c == '"' ? std::string("\\\"") : std::string(1, c);
  const std::string said = etcd_.Ctl("txn <<'END'\n\nput " + std::string(kGoKey) + " \"" + go +
                                     "\"\nput " + other + " \"" + escaped + "\"\n\n\nEND\ntrue");
  EXPECT_TRUE(log.WaitForCreate(GoService().nodes[0].id)) << said;
  EXPECT_TRUE(log.WaitForCreate("other")) << said;
}

TEST_F(EtcdTest, AServiceServesWhileEtcdIsAwayAndRegistersWhenItIsBack) {
  ServiceOptions options{.name = "early",
                         .address = "127.0.0.1:0",
                         .registry = "etcd",
                         .registry_address = {etcd_.address()},
                         .logger = log_};
  Service service(options);
  service.Handle(Blocking(Echo));
  ASSERT_TRUE(service.Start());
  EXPECT_TRUE(log_->Has(LogLevel::kError, "cannot register with etcd"));
  EXPECT_TRUE(log_->Has(LogLevel::kError, etcd_.address()));
  const StringList direct = {service.address()};
  testee::TestClient client("early", service.client());
  EXPECT_TRUE(client.Call(Named("John"), {.addresses = direct}));
  etcd_.Start();
  EXPECT_TRUE(Eventually([&] { return log_->Has(LogLevel::kInfo, "registered with etcd"); }));
  EXPECT_TRUE(Finds(*Make(), "early", 1));
  service.Stop();
  EXPECT_TRUE(Finds(*Make(), "early", 0));
}

TEST_F(EtcdTest, AWatchThatBeganWhileEtcdWasAwayTellsWhatIsThereWhenItIsBack) {
  const auto registry = Make();
  ChangeLog log;
  const auto watch = registry->Watch("late", log.watcher());
  ASSERT_TRUE(watch);
  const Status registered = registry->Register(OneNode("late", "1"), {.ttl = 1min});
  ASSERT_FALSE(registered);
  EXPECT_EQ(registered.error().code(), Code::kUnavailable);
  EXPECT_EQ(registered.error().phase(), Phase::kResolve);
  const auto found = registry->GetService("late");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnavailable);
  etcd_.Start();
  EXPECT_TRUE(log.WaitForCreate("late-1")) << "the registry registers it by itself";
  EXPECT_TRUE(Finds(*registry, "late", 1));
}

TEST_F(EtcdTest, AnEtcdThatForgotEverythingIsToldAgainAndNobodyIsToldOfIt) {
  etcd_.Start();
  const auto here = Make();
  const auto there = Make();
  ChangeLog log;
  ASSERT_TRUE(here->Register(OneNode("kept", "1"), {.ttl = 1min}));
  ASSERT_TRUE(here->Register(OneNode("kept", "2"), {}));
  const auto watch = there->Watch("kept", log.watcher());
  ASSERT_TRUE(watch);
  etcd_.Kill();
  etcd_.Wipe();
  etcd_.Start();
  EXPECT_TRUE(Finds(*there, "kept", 2));
  ASSERT_TRUE(here->Register(OneNode("kept", "3"), {.ttl = 1min}));
  EXPECT_TRUE(log.WaitForCreate("kept-3")) << "it goes on watching";
  EXPECT_EQ(log.size(), 0U);
}

TEST_F(EtcdTest, WhatDidNotComeBackWithEtcdIsToldToBeGone) {
  etcd_.Start();
  const auto registry = Make();
  auto gone = Make();
  ASSERT_TRUE(gone->Register(OneNode("kept", "1"), {}));
  ChangeLog log;
  const auto watch = registry->Watch("kept", log.watcher());
  ASSERT_TRUE(watch);
  etcd_.Kill();
  gone.reset();
  etcd_.Wipe();
  etcd_.Start();
  EXPECT_TRUE(log.WaitForDelete("kept-1"));
}

TEST_F(EtcdTest, AnEtcdThatRestartsKeepsTheLease) {
  etcd_.Start();
  const auto registry = Make();
  ASSERT_TRUE(registry->Register(OneNode("kept", "1"), {.ttl = 1min}));
  const std::string lease = etcd_.Ctl("lease list");
  etcd_.Kill();
  etcd_.Start();
  EXPECT_TRUE(Finds(*registry, "kept", 1));
  ASSERT_TRUE(registry->Register(OneNode("kept", "2"), {.ttl = 1min}));
  EXPECT_EQ(etcd_.Ctl("lease list"), lease);
}

TEST_F(EtcdTest, ChangesAreToldThatWereCompactedAwayMeanwhile) {
  etcd_.Start();
  const auto registry = Make();
  etcd_.Put("/micro/registry/a/a-1",
            R"({"name":"a","nodes":[{"id":"a-1","address":"127.0.0.1:1"}]})");
  ChangeLog log;
  const auto watch = registry->Watch("a", log.watcher());
  ASSERT_TRUE(watch);
  // Behind the back of the watch, which does not know this port.
  etcd_.Kill();
  EtcdServer elsewhere(etcd_);
  elsewhere.Start();
  elsewhere.Ctl("del /micro/registry/a/a-1");
  elsewhere.Put("/micro/registry/a/a-2",
                R"({"name":"a","nodes":[{"id":"a-2","address":"127.0.0.1:2"}]})");
  ASSERT_TRUE(elsewhere.Ctl("compact " + elsewhere.Revision()).starts_with("compacted"));
  elsewhere.Kill();
  etcd_.Start();
  EXPECT_TRUE(log.WaitForCreate("a-2"));
  EXPECT_TRUE(log.WaitForDelete("a-1"));
}

TEST_F(EtcdTest, ALostLeaseIsGrantedAnew) {
  etcd_.Start();
  const auto registry = Make();
  ChangeLog log;
  const auto watch = registry->Watch("a", log.watcher());
  ASSERT_TRUE(registry->Register(OneNode("a", "1"), {.ttl = 2s}));
  const std::string list = etcd_.Ctl("lease list");
  const std::string lease = list.substr(list.find('\n') + 1);
  EXPECT_TRUE(etcd_.Ctl("lease revoke " + lease).contains("revoked")) << list;
  EXPECT_TRUE(log.WaitForDelete("a-1"));
  EXPECT_TRUE(log.WaitForCreate("a-1"));
}

TEST_F(EtcdTest, AStoppedProcessIsGoneAndBackWhenItGoesOn) {
  etcd_.Start();
  const auto registry = Make();
  ChangeLog log;
  const auto watch = registry->Watch("helloworld", log.watcher());
  const Child child("helloworld", {"--registry=etcd", "--registry_address=" + etcd_.address(),
                                   "--server_address=127.0.0.1:0", "--register_ttl=2s",
                                   "--register_interval=1s", "--server_id=one"});
  ASSERT_TRUE(log.WaitForCreate("helloworld-one"));
  child.Signal(SIGSTOP);
  EXPECT_TRUE(log.WaitForDelete("helloworld-one"));
  child.Signal(SIGCONT);
  EXPECT_TRUE(log.WaitForCreate("helloworld-one"));
}

TEST_F(EtcdTest, ACrashedProcessIsGoneWithItsLeaseAndOneThatLeavesAtOnce) {
  etcd_.Start();
  const auto registry = Make();
  ChangeLog log;
  const auto watch = registry->Watch("helloworld", log.watcher());
  const std::vector<std::string> arguments = {
      "--registry=etcd", "--registry_address=" + etcd_.address(), "--server_address=127.0.0.1:0",
      "--register_ttl=2s", "--register_interval=1s"};
  std::vector<std::string> one = arguments;
  one.push_back("--server_id=one");
  std::vector<std::string> two = arguments;
  two.push_back("--server_id=two");
  Child leaves("helloworld", one);
  ASSERT_TRUE(log.WaitForCreate("helloworld-one"));
  const Child crashes("helloworld", two);
  ASSERT_TRUE(log.WaitForCreate("helloworld-two"));
  crashes.Signal(SIGKILL);
  EXPECT_TRUE(log.WaitForDelete("helloworld-two"));
  leaves.Signal(SIGTERM);
  EXPECT_TRUE(log.WaitForDelete("helloworld-one"));
  EXPECT_EQ(leaves.Wait(), 0) << leaves.output();
}

TEST_F(EtcdTest, AStoppedEtcdIsNoticedWithinTheTimeout) {
  etcd_.Start();
  const auto registry = Make();
  ASSERT_TRUE(registry->Register(OneNode("a", "1"), {.ttl = 1min}));
  etcd_.Signal(SIGSTOP);
  const auto began = std::chrono::steady_clock::now();
  const auto found = registry->GetService("a");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().ToString().find(etcd_.address()), std::string::npos)
      << found.error().ToString();
  EXPECT_FALSE(registry->Register(OneNode("a", "2"), {.ttl = 1min}));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  etcd_.Signal(SIGCONT);
  EXPECT_TRUE(Finds(*registry, "a", 2));
}

TEST_F(EtcdTest, WhatIsNoRecordIsPassedOverCountedAndLoggedOnce) {
  etcd_.Start();
  Metrics metrics;
  RegistryConfig config = Config(etcd_);
  config.metrics = &metrics;
  const auto registry = MakeEtcd(config);
  ASSERT_TRUE(registry->Register(OneNode("a", "1"), {.ttl = 1min}));
  ChangeLog log;
  const auto watch = registry->Watch("a", log.watcher());
  etcd_.Put("/micro/registry/a/text", "no JSON");
  etcd_.Put("/micro/registry/a/list", "[]");
  etcd_.Put("/micro/registry/a/wrong", R"({"name":"a","nodes":[{"id":7}]})");
  etcd_.Put("/micro/registry/a/nowhere", R"({"name":"a","nodes":[{"id":"x","address":"nowhere"},)"
                                         R"({"id":"y","address":"127.0.0.1:2"}]})");
  etcd_.Put("/micro/registry/stray", "{}");
  EXPECT_TRUE(log.WaitForCreate("y"));
  for (int i = 0; i < 3; ++i) {
    const auto found = registry->GetService("a");
    ASSERT_TRUE(found);
    std::vector<std::string> ids;
    for (const ServiceInfo& service : *found) {
      for (const Node& node : service.nodes) ids.push_back(node.id);
    }
    EXPECT_THAT(ids, ::testing::UnorderedElementsAre("a-1", "y"));
    ASSERT_TRUE(registry->ListServices());
  }
  EXPECT_NE(metrics.Text().find("micro_registry_bad_records_total{registry=\"etcd\"} 5"),
            std::string::npos)
      << metrics.Text();
  for (const std::string key : {"text", "list", "wrong", "nowhere"}) {
    EXPECT_EQ(log_->Count("/micro/registry/a/" + key), 1U) << key;
  }
}

}  // namespace
}  // namespace micro::e2e
