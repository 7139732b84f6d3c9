#include "discovery/endpoints.h"

#include <condition_variable>
#include <thread>

#include <gtest/gtest.h>

#include "discovery/directory.h"
#include "selector/random.h"

namespace micro::discovery {
namespace {

using namespace std::chrono_literals;

// Says what it is told to say, and fails when it is told to fail.
class Scripted final : public Registry {
 public:
  std::string_view name() const override { return "scripted"; }
  Status Register(const ServiceInfo&, const RegisterOptions&) override { return Ok(); }
  Status Deregister(const ServiceInfo&) override { return Ok(); }
  Result<std::vector<ServiceInfo>> ListServices() override { return Unavailable("no"); }

  Result<std::vector<ServiceInfo>> GetService(std::string_view /*service*/) override {
    const std::lock_guard lock(mutex_);
    ++lookups_;
    return answer_;
  }
  Result<Subscription> Watch(std::string_view /*service*/, Watcher watcher) override {
    const std::lock_guard lock(mutex_);
    if (++watches_ <= failing_watches_) return Unavailable("no watch");
    watcher_ = std::move(watcher);
    return Subscription([] {});
  }

  void Answer(Result<std::vector<ServiceInfo>> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  void FailWatches(int count) {
    const std::lock_guard lock(mutex_);
    failing_watches_ = count;
  }
  void Tell(const Change& change) {
    Watcher watcher;
    {
      const std::lock_guard lock(mutex_);
      watcher = watcher_;
    }
    if (watcher) watcher(change);
  }
  int lookups() const {
    const std::lock_guard lock(mutex_);
    return lookups_;
  }
  int watches() const {
    const std::lock_guard lock(mutex_);
    return watches_;
  }

 private:
  mutable std::mutex mutex_;
  Result<std::vector<ServiceInfo>> answer_ = NotFound("nobody");
  Watcher watcher_;
  int lookups_ = 0;
  int watches_ = 0;
  int failing_watches_ = 0;
};

std::vector<ServiceInfo> Named(const std::vector<std::string>& ids) {
  ServiceInfo service{.name = "s", .version = "1"};
  for (const std::string& id : ids) service.nodes.push_back({.id = id, .address = id + ":1"});
  return {service};
}

Change Gone(const std::string& id) { return {Change::Kind::kDelete, Named({id})[0]}; }
Change Come(const std::string& id) { return {Change::Kind::kCreate, Named({id})[0]}; }

// Waits for a condition, not for long.
template <typename Condition>
bool Soon(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

class EndpointsTest : public ::testing::Test {
 protected:
  explicit EndpointsTest(Times times = {.nothing = 0s, .fresh = 0s, .settle = 1ms})
      : times_(times) {}

  Endpoints& endpoints() {
    if (!directory_) directory_ = std::make_unique<Directory>(Around());
    if (!endpoints_) endpoints_ = directory_->Find("s");
    return *endpoints_;
  }
  Surroundings Around() {
    return {.runtime = &runtime_,
            .registry = registry_,
            .make_selector = [] { return std::make_unique<RandomSelector>(); },
            .metrics = &metrics_,
            .times = times_};
  }
  Status Refresh() { return Await(runtime_.loop(0), endpoints().Refresh({})); }

  std::set<std::string> Ids(Selector& selector) const {
    std::set<std::string> ids;
    std::vector<std::string> tried;
    while (const auto pick = selector.Select({.tried = tried})) {
      tried.push_back(pick->node().id);
      ids.insert(pick->node().id);
    }
    return ids;
  }
  std::set<std::string> Ids() { return Ids(endpoints().selector()); }
  void Report(const std::string& id, Outcome outcome, int times = 1) {
    for (int i = 0; i < times; ++i)
      endpoints().Report({.id = id, .address = "", .metadata = {}}, outcome);
  }
  std::uint64_t Count(const std::string& name) {
    return metrics_.GetCounter("micro_discovery_" + name + "_total", "").value();
  }

  Times times_;
  Metrics metrics_;
  Runtime runtime_{{.loops = 2, .logger = StderrLogger(LogLevel::kFatal)}};
  std::shared_ptr<Scripted> registry_ = std::make_shared<Scripted>();
  std::unique_ptr<Directory> directory_;
  std::shared_ptr<Endpoints> endpoints_;
};

using Strings = std::set<std::string>;

TEST_F(EndpointsTest, WhatIsFoundIsThere) {
  registry_->Answer(Named({"a", "b"}));
  EXPECT_FALSE(endpoints().known());
  ASSERT_TRUE(Refresh());
  EXPECT_TRUE(endpoints().known());
  EXPECT_EQ(Ids(), (Strings{"a", "b"}));
  EXPECT_EQ(Count("lookups"), 1U);
  EXPECT_EQ(metrics_.GetGauge("micro_discovery_nodes", "", {{"service", "s"}}).value(), 2);
}

TEST_F(EndpointsTest, AServiceOfNobodyIsNotFound) {
  const Status found = Refresh();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  EXPECT_FALSE(endpoints().known());
}

TEST_F(EndpointsTest, AnErrorOfTheRegistryChangesNothing) {
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  registry_->Answer(Unavailable("the registry is down"));
  EXPECT_TRUE(Refresh());
  EXPECT_TRUE(endpoints().known());
  EXPECT_EQ(Ids(), Strings{"a"});
  EXPECT_EQ(Count("failures"), 1U);
}

TEST_F(EndpointsTest, NeitherDoesAnEmptyAnswer) {
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  registry_->Answer(std::vector<ServiceInfo>());
  EXPECT_TRUE(Refresh());
  registry_->Answer(NotFound("nobody"));
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(Ids(), Strings{"a"});
}

TEST_F(EndpointsTest, ButThenALostConnectionDoes) {
  registry_->Answer(Named({"a", "b"}));
  ASSERT_TRUE(Refresh());
  registry_->Answer(std::vector<ServiceInfo>());
  ASSERT_TRUE(Refresh());
  Report("a", Outcome::kUnreachable);
  EXPECT_TRUE(Soon([&] { return Ids() == Strings{"b"}; }));
}

TEST_F(EndpointsTest, TheWatchTellsOfNodesThatComeAndGo) {
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  registry_->Tell(Come("b"));
  EXPECT_TRUE(Soon([&] { return Ids() == Strings{"a", "b"}; }));
  registry_->Tell(Gone("a"));
  EXPECT_TRUE(Soon([&] { return Ids() == Strings{"b"}; }));
}

TEST_F(EndpointsTest, WhenTheWatchSawAllGoTheyAreTheLastResort) {
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  registry_->Tell(Gone("a"));
  EXPECT_TRUE(Soon([&] { return !endpoints().known(); }));
  registry_->Answer(NotFound("nobody"));
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(Ids(), Strings{"a"});
  Report("a", Outcome::kUnreachable);
  EXPECT_TRUE(Soon([&] { return Ids().empty(); }));
  EXPECT_FALSE(Refresh());
}

TEST_F(EndpointsTest, ANodeThatCannotBeReachedRestsForAWhile) {
  registry_->Answer(Named({"a", "b"}));
  ASSERT_TRUE(Refresh());
  std::this_thread::sleep_for(2 * times_.settle);
  Report("a", Outcome::kUnreachable);
  EXPECT_EQ(Ids(), Strings{"b"});
  EXPECT_EQ(Count("ejections"), 1U);
  EXPECT_TRUE(Soon([&] { return Ids().size() == 2; }));  // by itself
}

TEST_F(EndpointsTest, ANodeThatAnswersAfterAllIsBackAtOnce) {
  registry_->Answer(Named({"a", "b", "c"}));
  ASSERT_TRUE(Refresh());
  Report("a", Outcome::kTimedOut, 5);
  ASSERT_TRUE(Soon([&] { return Ids().size() == 2; }));
  Report("a", Outcome::kAnswered);
  EXPECT_TRUE(Soon([&] { return Ids().size() == 3; }));
}

TEST_F(EndpointsTest, AWatchThatFailsIsTriedAgain) {
  registry_->FailWatches(2);
  registry_->Answer(Named({"a"}));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Refresh());
  EXPECT_EQ(registry_->watches(), 3);
  EXPECT_EQ(Count("failures"), 2U);
  registry_->Tell(Come("b"));
  EXPECT_TRUE(Soon([&] { return Ids().size() == 2; }));
}

TEST_F(EndpointsTest, AFilterSeesItsNodes) {
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  EXPECT_EQ(Ids(*endpoints().SelectorFor({.version = "1"}, false)), Strings{"a"});
  EXPECT_EQ(Ids(*endpoints().SelectorFor({.version = "2"}, false)), Strings{});
}

TEST_F(EndpointsTest, GivenAddressesAreNotLookedUp) {
  endpoints();
  const std::vector<std::string> addresses = {"a:1", "b:1"};
  const auto list = directory_->At(addresses);
  EXPECT_EQ(list, directory_->At(addresses));
  EXPECT_TRUE(list->known());
  EXPECT_EQ(Ids(list->selector()), (Strings{"a:1", "b:1"}));
  EXPECT_FALSE(Await(runtime_.loop(0), list->Refresh({})));
  EXPECT_EQ(registry_->lookups(), 0);
}

TEST_F(EndpointsTest, OnlySoManyUnknownNamesAreKept) {
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  const auto first = std::weak_ptr(directory_->Find("unknown"));
  for (std::size_t i = 0; i <= Directory::kMostUnknown; ++i) {
    directory_->Find("unknown " + std::to_string(i));
  }
  EXPECT_TRUE(Soon([&] { return first.expired(); }));
  EXPECT_EQ(directory_->Find("s"), endpoints_);
}

class PatientTest : public EndpointsTest {
 protected:
  PatientTest() : EndpointsTest({.nothing = 1h, .fresh = 1h, .settle = 1ms}) {}
};

TEST_F(PatientTest, WhatWasLookedUpInVainIsNotLookedUpAgainSoon) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Refresh().error().code(), Code::kNotFound);
  EXPECT_EQ(registry_->lookups(), 1);
}

TEST_F(PatientTest, UnlessTheWatchHasNewsOfIt) {
  ASSERT_FALSE(Refresh());
  registry_->Tell(Come("a"));
  EXPECT_TRUE(Soon([&] { return endpoints().known(); }));
  EXPECT_EQ(Ids(), Strings{"a"});
  registry_->Answer(Named({"a"}));
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(registry_->lookups(), 2);
}

class RestlessTest : public EndpointsTest {
 protected:
  RestlessTest()
      : EndpointsTest({.refresh = 2ms, .first_retry = 2ms, .longest_retry = 4ms, .settle = 1ms}) {}
};

TEST_F(RestlessTest, LookupsStandBesideTheWatch) {
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  registry_->Answer(Named({"a", "b"}));  // which no watch tells
  EXPECT_TRUE(Soon([&] { return Ids().size() == 2; }));
}

TEST_F(RestlessTest, ARegistryThatComesBackIsFound) {
  registry_->FailWatches(3);
  registry_->Answer(Named({"a"}));
  ASSERT_TRUE(Refresh());
  registry_->Answer(Unavailable("the registry is down"));
  EXPECT_TRUE(Soon([&] { return Count("failures") >= 6; }));
  EXPECT_EQ(Ids(), Strings{"a"});
  registry_->Answer(Named({"b"}));
  EXPECT_TRUE(Soon([&] { return Ids() == Strings{"b"}; }));  // missing from two answers
  EXPECT_EQ(registry_->watches(), 4);
}

TEST_F(RestlessTest, NamesThatNobodyFoundAreLeftAlone) {
  ASSERT_FALSE(Refresh());
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(registry_->lookups(), 1);
}

// --- admission
// ------------------------------------------------------------------------------------

class AdmissionTest : public EndpointsTest {
 protected:
  Admission::Answer Admit(const std::string& id, bool heed_trials = true) {
    return endpoints().Admit({.id = id, .address = "", .metadata = {}}, heed_trials).answer;
  }
};

TEST_F(AdmissionTest, WhereAllIsWellNobodyHasToAsk) {
  registry_->Answer(Named({"a", "b"}));
  ASSERT_TRUE(Refresh());
  EXPECT_FALSE(endpoints().guarded());
  Report("a", Outcome::kUnreachable);
  EXPECT_TRUE(endpoints().guarded());
  Report("a", Outcome::kAnswered);
  EXPECT_FALSE(endpoints().guarded());
}

TEST_F(AdmissionTest, ANodeThatHasRestedGetsOneCallAtATime) {
  registry_->Answer(Named({"a", "b"}));
  ASSERT_TRUE(Refresh());
  Report("a", Outcome::kUnreachable);
  ASSERT_TRUE(Soon([&] { return Ids().contains("a"); }));  // its rest is over
  EXPECT_EQ(Admit("a"), Admission::Answer::kYes);
  EXPECT_EQ(Admit("a", false), Admission::Answer::kYes);
  Report("a", Outcome::kAbandoned);
  EXPECT_EQ(Admit("a"), Admission::Answer::kYes);
  Report("a", Outcome::kAnswered);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Admit("a"), Admission::Answer::kYes);
}

TEST_F(AdmissionTest, WhatIsKnownIsReportedWithReasons) {
  registry_->Answer(Named({"a", "b"}));
  ASSERT_TRUE(Refresh());
  Report("a", Outcome::kTimedOut, 2);
  ServiceReport report = endpoints().Report();
  EXPECT_EQ(report.source, "watch");
  EXPECT_TRUE(report.vouched);
  ASSERT_EQ(report.nodes.size(), 2U);
  EXPECT_EQ(report.nodes[0].why, "did not answer in time, 2 in a row");
  EXPECT_EQ(report.nodes[0].rests, 0s);
  EXPECT_EQ(report.nodes[1].why, "");
  Report("a", Outcome::kUnreachable);
  report = endpoints().Report();
  EXPECT_TRUE(report.nodes[0].rests > 0s || report.nodes[0].on_trial);
  EXPECT_EQ(report.nodes[0].why, "could not be reached");
  registry_->Answer(Unavailable("the registry is down"));
  static_cast<void>(Refresh());
  EXPECT_EQ(endpoints().Report().nodes.size(), 2U);
}

}  // namespace
}  // namespace micro::discovery
