#include "registry/etcd/etcd.h"

#include <atomic>

#include <gtest/gtest.h>

#include "micro/testing/registry_conformance.h"

#include "registry/etcd/testing/fake_etcd.h"
#include "registry/etcd/wire.pb.h"
#include "transport/grpc/grpc.h"

// With an etcd that does what is hard to have of a real one; tests/e2e/etcd has those with one.
namespace micro::etcd {
namespace {

using namespace std::chrono_literals;
using micro::testing::ChangeLog;
using micro::testing::Eventually;
using testing::Answer;
using testing::FakeEtcd;
using testing::Heard;
using testing::Reaction;
using testing::Refuse;
using testing::Say;

wire::KeyValue Stored(const std::string& id, std::int64_t revision,
                      const std::string& address = "127.0.0.1:1") {
  wire::KeyValue kv;
  kv.set_key("/micro/registry/a/" + id);
  kv.set_value(R"({"name":"a","nodes":[{"id":")" + id + R"(","address":")" + address + "\"}]}");
  kv.set_mod_revision(revision);
  return kv;
}

wire::RangeResponse Store(std::int64_t revision, const std::vector<wire::KeyValue>& kvs) {
  wire::RangeResponse response;
  response.mutable_header()->set_revision(revision);
  for (const auto& kv : kvs) *response.add_kvs() = kv;
  return response;
}

wire::WatchResponse Created() {
  wire::WatchResponse response;
  response.set_created(true);
  return response;
}

wire::WatchResponse Happened(wire::Event::EventType type, const wire::KeyValue& kv) {
  wire::WatchResponse response;
  response.mutable_header()->set_revision(kv.mod_revision());
  wire::Event* event = response.add_events();
  event->set_type(type);
  *event->mutable_kv() = kv;
  return response;
}

// By default: an etcd that has nothing, and takes everything.
class FakedEtcdTest : public ::testing::Test {
 protected:
  using Script = std::map<std::string, FakeEtcd::Script>;

  Reaction OnHeard(const Heard& heard) {
    const auto own = script_.find(heard.method);
    if (own != script_.end()) return own->second(heard);
    if (heard.method == "KV/Range") return Answer(Store(1, {}));
    if (heard.method == "KV/Put") return Answer(wire::PutResponse());
    if (heard.method == "KV/DeleteRange") return Answer(wire::DeleteRangeResponse());
    if (heard.method == "Lease/LeaseGrant") return Grant(heard);
    if (heard.method == "Lease/LeaseKeepAlive") return Alive(heard);
    if (heard.method == "Lease/LeaseRevoke") return Answer(wire::LeaseRevokeResponse());
    if (heard.method == "Watch/Watch") return Say(Created());
    return Refuse(Unimplemented(heard.method));
  }

  Reaction Grant(const Heard& heard) {
    wire::LeaseGrantResponse response;
    response.set_id(++leases_);
    response.set_ttl(heard.As<wire::LeaseGrantRequest>().ttl());
    return Answer(response);
  }

  static Reaction Alive(const Heard& heard, std::int64_t ttl = 60) {
    wire::LeaseKeepAliveResponse response;
    response.set_id(heard.As<wire::LeaseKeepAliveRequest>().id());
    response.set_ttl(ttl);
    return Say(response);
  }

  static ServiceInfo Service() {
    return {.name = "a", .nodes = {{.id = "a-1", .address = "127.0.0.1:1"}}};
  }

  // The registry, once the script is there.
  Registry& registry(RegistryConfig config = {}) {
    config.addresses = {fake_.address()};
    config.timeout = 1s;
    if (!registry_) registry_ = MakeEtcdRegistry(config, MakeGrpcTransport).value();
    return *registry_;
  }

  Script script_;
  std::atomic<std::int64_t> leases_ = 0;
  Runtime runtime_{{.loops = 1}};
  std::shared_ptr<Transport> transport_ = MakeGrpcTransport({.runtime = &runtime_}).value();
  FakeEtcd fake_{runtime_.loop(0), *transport_,
                 [this](const Heard& heard) { return OnHeard(heard); }};
  std::shared_ptr<Registry> registry_;
};

TEST_F(FakedEtcdTest, NothingIsDoneBeforeItIsUsed) {
  const auto none = MakeEtcdRegistry({.addresses = {fake_.address()}}, MakeGrpcTransport);
  ASSERT_TRUE(none);
  ASSERT_TRUE(registry().GetService("a").error().code() == Code::kNotFound);
  EXPECT_EQ(fake_.count("KV/Range"), 1U);
  EXPECT_EQ(fake_.count("Lease/LeaseGrant"), 0U);
}

TEST_F(FakedEtcdTest, AllRecordsHaveOneLeaseOfTheShortestTtlAndOneStreamKeepsIt) {
  ServiceInfo other = Service();
  other.nodes[0].id = "a-2";
  ASSERT_TRUE(registry().Register(Service(), {.ttl = 1500ms}));
  ASSERT_TRUE(registry().Register(other, {.ttl = 1min}));
  ASSERT_EQ(fake_.count("Lease/LeaseGrant"), 1U);
  EXPECT_EQ(fake_.heard("Lease/LeaseGrant")[0].As<wire::LeaseGrantRequest>().ttl(), 2);
  const auto puts = fake_.heard("KV/Put");
  ASSERT_EQ(puts.size(), 2U);
  EXPECT_EQ(puts[0].As<wire::PutRequest>().lease(), 1);
  EXPECT_EQ(puts[1].As<wire::PutRequest>().lease(), 1);
  EXPECT_TRUE(Eventually([&] { return fake_.count("Lease/LeaseKeepAlive") >= 2; }));
}

TEST_F(FakedEtcdTest, AShorterTtlThanTheLeasesTakesAnotherLease) {
  ServiceInfo other = Service();
  other.nodes[0].id = "a-2";
  ASSERT_TRUE(registry().Register(Service(), {.ttl = 1min}));
  ASSERT_TRUE(registry().Register(other, {.ttl = 10s}));
  const auto grants = fake_.heard("Lease/LeaseGrant");
  ASSERT_EQ(grants.size(), 2U);
  EXPECT_EQ(grants[1].As<wire::LeaseGrantRequest>().ttl(), 10);
  const auto puts = fake_.heard("KV/Put");
  ASSERT_EQ(puts.size(), 3U);
  EXPECT_EQ(puts[1].As<wire::PutRequest>().lease(), 2);
  EXPECT_EQ(puts[2].As<wire::PutRequest>().lease(), 2);
}

TEST_F(FakedEtcdTest, ForEverMeansWithoutALease) {
  ASSERT_TRUE(registry().Register(Service(), {}));
  EXPECT_EQ(fake_.heard("KV/Put").at(0).As<wire::PutRequest>().lease(), 0);
}

TEST_F(FakedEtcdTest, ALeaseThatRunsOutMeanwhileIsGrantedAnewAtOnce) {
  script_["KV/Put"] = [this](const Heard& heard) {
    if (heard.As<wire::PutRequest>().lease() == 1) {
      return Refuse(NotFound("etcdserver: requested lease not found"));
    }
    return Answer(wire::PutResponse());
  };
  EXPECT_TRUE(registry().Register(Service(), {.ttl = 1min}));
  EXPECT_EQ(fake_.count("Lease/LeaseGrant"), 2U);
}

TEST_F(FakedEtcdTest, ALeaseThatEtcdDoesNotKnowAnyMoreIsGrantedAnew) {
  script_["Lease/LeaseKeepAlive"] = [](const Heard& heard) {
    const auto id = heard.As<wire::LeaseKeepAliveRequest>().id();
    return Alive(heard, id == 1 ? 0 : 60);
  };
  ASSERT_TRUE(registry().Register(Service(), {.ttl = 1min}));
  ASSERT_TRUE(Eventually([&] { return fake_.count("KV/Put") == 2; }));
  EXPECT_EQ(fake_.heard("KV/Put")[1].As<wire::PutRequest>().lease(), 2);
}

TEST_F(FakedEtcdTest, ALeaseThatNobodyAnswersForIsKeptOverAnotherConnection) {
  std::atomic<bool> dumb = true;
  script_["Lease/LeaseKeepAlive"] = [&](const Heard& heard) {
    return dumb.exchange(false) ? Reaction{} : Alive(heard);
  };
  ASSERT_TRUE(registry().Register(Service(), {.ttl = 1min}));
  EXPECT_TRUE(Eventually([&] { return fake_.count("Lease/LeaseKeepAlive") >= 2; }));
  EXPECT_EQ(fake_.count("Lease/LeaseGrant"), 1U);
}

TEST_F(FakedEtcdTest, AnOnlyServerThatIsSilentTwiceIsDialledAgain) {
  std::atomic<int> asked = 0;
  script_["KV/Range"] = [&](const Heard&) {
    return ++asked <= 2 ? Reaction{} : Answer(Store(1, {Stored("a-1", 1)}));
  };
  EXPECT_EQ(registry().GetService("a").error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(fake_.connections(), 1U);
  EXPECT_EQ(registry().GetService("a").error().code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(Eventually([&] { return fake_.connections() == 0; }));
  EXPECT_TRUE(registry().GetService("a"));
}

TEST_F(FakedEtcdTest, WhatNobodyCouldUseIsNotRegistered) {
  ServiceInfo service = Service();
  for (const std::string address : {"", "nowhere", "127.0.0.1:x"}) {
    service.nodes[0].address = address;
    const Status registered = registry().Register(service, {.ttl = 1min});
    ASSERT_FALSE(registered) << address;
    EXPECT_EQ(registered.error().code(), Code::kInvalidArgument);
  }
  service = Service();
  service.nodes[0].id = "";
  EXPECT_FALSE(registry().Register(service, {.ttl = 1min}));
  EXPECT_EQ(fake_.count("KV/Put"), 0U);
}

TEST_F(FakedEtcdTest, OneRecordThatIsRefusedDoesNotKeepTheOthersBack) {
  script_["KV/Put"] = [](const Heard& heard) {
    if (heard.As<wire::PutRequest>().key().ends_with("a-1")) {
      return Refuse(PermissionDenied("etcdserver: permission denied"));
    }
    return Answer(wire::PutResponse());
  };
  const Status refused = registry().Register(Service(), {.ttl = 1min});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
  ServiceInfo other = Service();
  other.nodes[0].id = "a-2";
  EXPECT_TRUE(registry().Register(other, {.ttl = 1min}));
}

TEST_F(FakedEtcdTest, ATokenThatIsNotTakenAnyMoreIsReplacedOnce) {
  std::atomic<int> logins = 0;
  script_["Auth/Authenticate"] = [&](const Heard& heard) {
    const auto request = heard.As<wire::AuthenticateRequest>();
    EXPECT_EQ(request.name() + ":" + request.password(), "us:sesame");
    wire::AuthenticateResponse response;
    response.set_token("token" + std::to_string(++logins));
    return Answer(response);
  };
  script_["KV/Range"] = [](const Heard& heard) {
    if (heard.token != "token2") {
      return Refuse(Unauthenticated("etcdserver: invalid auth token"));
    }
    return Answer(Store(1, {Stored("a-1", 1)}));
  };
  EXPECT_TRUE(registry({.username = "us", .password = "sesame"}).GetService("a"));
  EXPECT_TRUE(registry().GetService("a"));
  EXPECT_EQ(logins, 2);
}

TEST_F(FakedEtcdTest, AUserWhoIsNeverTakenIsToldSo) {
  script_["Auth/Authenticate"] = [](const Heard&) { return Answer(wire::AuthenticateResponse()); };
  script_["KV/Range"] = [](const Heard&) {
    return Refuse(Unauthenticated("etcdserver: invalid auth token"));
  };
  const auto found = registry({.username = "us"}).GetService("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnauthenticated);
  EXPECT_EQ(fake_.count("KV/Range"), 2U);
}

TEST_F(FakedEtcdTest, AWatchThatWasCompactedAwayReadsAgainAndTellsTheDifference) {
  script_["KV/Range"] = [this](const Heard&) {
    return Answer(fake_.count("KV/Range") == 1 ? Store(10, {Stored("a-1", 9), Stored("a-3", 9)})
                                               : Store(30, {Stored("a-2", 25), Stored("a-3", 9)}));
  };
  ChangeLog log;
  const auto watch = registry().Watch("a", log.watcher());
  ASSERT_TRUE(Eventually([&] { return fake_.count("Watch/Watch") == 1; }));
  wire::WatchResponse compacted;
  compacted.set_canceled(true);
  compacted.set_compact_revision(20);
  fake_.React("Watch/Watch", Say(compacted));
  EXPECT_TRUE(log.WaitForCreate("a-2"));
  EXPECT_TRUE(log.WaitForDelete("a-1"));
  EXPECT_EQ(log.size(), 0U);
  ASSERT_TRUE(Eventually([&] { return fake_.count("Watch/Watch") == 2; }));
  const auto begun = [&](std::size_t i) {
    return fake_.heard("Watch/Watch")[i].As<wire::WatchRequest>().create_request();
  };
  EXPECT_EQ(begun(0).start_revision(), 11);
  EXPECT_EQ(begun(1).start_revision(), 31);
}

TEST_F(FakedEtcdTest, AWatchWhoseStreamEndsIsResumedWhereItWas) {
  script_["KV/Range"] = [](const Heard&) { return Answer(Store(10, {})); };
  ChangeLog log;
  const auto watch = registry().Watch("a", log.watcher());
  ASSERT_TRUE(Eventually([&] { return fake_.count("Watch/Watch") == 1; }));
  fake_.React("Watch/Watch", Say(Happened(wire::Event::PUT, Stored("a-1", 17))));
  ASSERT_TRUE(log.WaitForCreate("a-1"));
  // What it says beside events is no word on what it has told.
  wire::WatchResponse progress = Created();
  progress.mutable_header()->set_revision(99);
  fake_.React("Watch/Watch", Say(progress));
  fake_.React("Watch/Watch", Refuse(Unavailable("etcdserver: no leader")));
  ASSERT_TRUE(Eventually([&] { return fake_.count("Watch/Watch") == 2; }));
  const auto again = fake_.heard("Watch/Watch")[1].As<wire::WatchRequest>().create_request();
  EXPECT_EQ(again.start_revision(), 18);
  EXPECT_EQ(fake_.count("KV/Range"), 1U);
}

TEST_F(FakedEtcdTest, AChangeIsACreationAnUpdateOrADeletion) {
  script_["KV/Range"] = [](const Heard&) { return Answer(Store(10, {})); };
  std::mutex mutex;
  std::vector<Change> told;
  const auto watch = registry().Watch("a", [&](const Change& change) {
    const std::scoped_lock lock(mutex);
    told.push_back(change);
  });
  const auto count = [&] {
    const std::scoped_lock lock(mutex);
    return told.size();
  };
  ASSERT_TRUE(Eventually([&] { return fake_.count("Watch/Watch") == 1; }));
  fake_.React("Watch/Watch", Say(Happened(wire::Event::PUT, Stored("a-1", 11))));
  fake_.React("Watch/Watch", Say(Happened(wire::Event::PUT, Stored("a-1", 12))));
  fake_.React("Watch/Watch", Say(Happened(wire::Event::PUT, Stored("a-1", 13, "127.0.0.1:2"))));
  wire::KeyValue bad = Stored("a-1", 14);
  bad.set_value("nonsense");
  fake_.React("Watch/Watch", Say(Happened(wire::Event::PUT, bad)));
  bad.clear_value();
  bad.set_mod_revision(15);
  fake_.React("Watch/Watch", Say(Happened(wire::Event::DELETE, bad)));
  ASSERT_TRUE(Eventually([&] { return count() == 3; }));
  EXPECT_EQ(told[0].kind, Change::Kind::kCreate);
  EXPECT_EQ(told[1].kind, Change::Kind::kUpdate) << "what was written as it was is no change";
  EXPECT_EQ(told[1].service.nodes[0].address, "127.0.0.1:2");
  EXPECT_EQ(told[2].kind, Change::Kind::kDelete);
  EXPECT_EQ(told[2].service, told[1].service) << "it is gone as it was known";
}

TEST_F(FakedEtcdTest, WatchesOfOneServiceShareAStreamThatEndsWithTheLast) {
  ChangeLog log;
  auto one = registry().Watch("a", log.watcher());
  auto two = registry().Watch("a", log.watcher());
  one->Stop();
  ASSERT_TRUE(Eventually([&] { return fake_.count("Watch/Watch") == 1; }));
  fake_.React("Watch/Watch", Say(Happened(wire::Event::PUT, Stored("a-1", 17))));
  EXPECT_TRUE(log.WaitForCreate("a-1"));
  two->Stop();
  const auto three = registry().Watch("a", log.watcher());
  EXPECT_TRUE(Eventually([&] { return fake_.count("Watch/Watch") == 2; }));
}

TEST_F(FakedEtcdTest, AWatchMayOutliveItsRegistry) {
  ChangeLog log;
  auto watch = registry().Watch("a", log.watcher());
  registry_.reset();
  watch->Stop();
}

TEST_F(FakedEtcdTest, ALeavingRegistryGivesItsLeaseBack) {
  ASSERT_TRUE(registry().Register(Service(), {.ttl = 1min}));
  registry_.reset();
  EXPECT_EQ(fake_.count("Lease/LeaseRevoke"), 1U);
}

}  // namespace
}  // namespace micro::etcd
