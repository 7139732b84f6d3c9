#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "micro/registry.h"

/// What every registry has to do, as tests. For a registry of one's own:
///
///     struct MyRegistries {
///       std::shared_ptr<micro::Registry> Make();  // each sees what the others registered
///     };
///     INSTANTIATE_TYPED_TEST_SUITE_P(Mine, RegistryConformance, MyRegistries);
///
/// in namespace micro::testing. A MyRegistries lives as long as one test. Tests use names that no
/// other process uses, so they may run beside each other on one network.
namespace micro::testing {

inline constexpr std::chrono::seconds kRegistryPatience{10};

/// A name that is this test's and this process's alone.
inline std::string UniqueServiceName(const std::string& stem) {
  static std::atomic<int> count = 0;
  return "conformance." + stem + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

/// Waits until `condition` holds; false when it does not within kRegistryPatience.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kRegistryPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// Collects what a watch tells.
class ChangeLog {
 public:
  Registry::Watcher watcher() {
    return [this](const Change& change) {
      const std::scoped_lock lock(mutex_);
      changes_.push_back(change);
      changed_.notify_all();
    };
  }

  /// Waits for a change in which the node with `id` comes (or changes), or goes; what was told
  /// before that is forgotten.
  bool WaitForCreate(const std::string& id) { return WaitFor(id, false); }
  bool WaitForDelete(const std::string& id) { return WaitFor(id, true); }

  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return changes_.size();
  }

 private:
  static bool Is(const Change& change, const std::string& id, bool gone) {
    return (change.kind == Change::Kind::kDelete) == gone &&
           std::ranges::find(change.service.nodes, id, &Node::id) != change.service.nodes.end();
  }

  bool WaitFor(const std::string& id, bool gone) {
    std::unique_lock lock(mutex_);
    const auto matches = [&](const Change& change) { return Is(change, id, gone); };
    const auto arrived = [&] { return std::ranges::any_of(changes_, matches); };
    if (!changed_.wait_for(lock, kRegistryPatience, arrived)) return false;
    changes_.erase(changes_.begin(), std::ranges::find_if(changes_, matches) + 1);
    return true;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Change> changes_;
};

template <typename Registries>
class RegistryConformance : public ::testing::Test {
 protected:
  ServiceInfo MakeService(const std::string& name, const std::string& id, int port = 9000,
                          const std::string& version = "1.0.0") {
    ServiceInfo service{.name = name, .version = version};
    service.endpoints.push_back({.name = "Greeter.Hello",
                                 .request = {.name = "Request", .type = "Request"},
                                 .response = {.name = "Response", .type = "Response"}});
    service.nodes.push_back({.id = name + "-" + id,
                             .address = "127.0.0.1:" + std::to_string(port),
                             .metadata = {{"protocol", "grpc"}}});
    return service;
  }

  static std::size_t CountNodes(const Result<std::vector<ServiceInfo>>& services) {
    std::size_t nodes = 0;
    if (!services) return 0;
    for (const ServiceInfo& service : *services) nodes += service.nodes.size();
    return nodes;
  }

  bool Finds(Registry& registry, const std::string& name, std::size_t nodes) {
    return Eventually([&] { return CountNodes(registry.GetService(name)) == nodes; });
  }

  Registries registries_;
};

TYPED_TEST_SUITE_P(RegistryConformance);

TYPED_TEST_P(RegistryConformance, RegisteredServiceIsFoundAsItWasRegistered) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  const auto service = this->MakeService(UniqueServiceName("found"), "1");
  ASSERT_TRUE(here->Register(service, {}));
  ASSERT_TRUE(this->Finds(*there, service.name, 1));
  EXPECT_EQ(there->GetService(service.name).value(), std::vector<ServiceInfo>{service});
}

TYPED_TEST_P(RegistryConformance, UnknownServiceIsNotFound) {
  const auto found = this->registries_.Make()->GetService(UniqueServiceName("unknown"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  EXPECT_EQ(found.error().phase(), Phase::kResolve);
  EXPECT_FALSE(found.error().detail().empty());
}

TYPED_TEST_P(RegistryConformance, DeregisteredServiceIsGone) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  const auto service = this->MakeService(UniqueServiceName("gone"), "1");
  ASSERT_TRUE(here->Register(service, {}));
  ASSERT_TRUE(this->Finds(*there, service.name, 1));
  ASSERT_TRUE(here->Deregister(service));
  EXPECT_TRUE(this->Finds(*there, service.name, 0));
}

TYPED_TEST_P(RegistryConformance, DeregisteringTheUnknownIsNoError) {
  EXPECT_TRUE(
      this->registries_.Make()->Deregister(this->MakeService(UniqueServiceName("never"), "1")));
}

TYPED_TEST_P(RegistryConformance, ServiceWithoutNameOrNodesIsRejected) {
  const auto registry = this->registries_.Make();
  auto nameless = this->MakeService("", "1");
  auto nodeless = this->MakeService(UniqueServiceName("nodeless"), "1");
  nodeless.nodes.clear();
  for (const ServiceInfo& service : {nameless, nodeless}) {
    const Status status = registry->Register(service, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
  }
}

TYPED_TEST_P(RegistryConformance, NodesOfOneVersionAreOneService) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  const std::string name = UniqueServiceName("nodes");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(here->Register(this->MakeService(name, std::to_string(i), 9000 + i), {}));
  }
  ASSERT_TRUE(this->Finds(*there, name, 5));
  EXPECT_EQ(there->GetService(name)->size(), 1U);
  ASSERT_TRUE(here->Deregister(this->MakeService(name, "3", 9003)));
  EXPECT_TRUE(this->Finds(*there, name, 4));
}

TYPED_TEST_P(RegistryConformance, VersionsAreKeptApart) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  const std::string name = UniqueServiceName("versions");
  ASSERT_TRUE(here->Register(this->MakeService(name, "a", 9000, "1.0.0"), {}));
  ASSERT_TRUE(here->Register(this->MakeService(name, "b", 9001, "2.0.0"), {}));
  ASSERT_TRUE(here->Register(this->MakeService(name, "c", 9002, "2.0.0"), {}));
  ASSERT_TRUE(this->Finds(*there, name, 3));
  const auto versions = there->GetService(name).value();
  for (const ServiceInfo& service : versions) {
    EXPECT_EQ(service.nodes.size(), service.version == "1.0.0" ? 1U : 2U) << service.version;
  }
}

TYPED_TEST_P(RegistryConformance, RegisteringAgainChangesNothing) {
  const auto here = this->registries_.Make();
  const auto service = this->MakeService(UniqueServiceName("again"), "1");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(here->Register(service, {}));
  ASSERT_TRUE(this->Finds(*here, service.name, 1));
  EXPECT_EQ(here->GetService(service.name).value(), std::vector<ServiceInfo>{service});
}

TYPED_TEST_P(RegistryConformance, RegisteringAgainPublishesWhatChanged) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  auto service = this->MakeService(UniqueServiceName("changed"), "1");
  ASSERT_TRUE(here->Register(service, {}));
  ASSERT_TRUE(this->Finds(*there, service.name, 1));
  service.version = "1.0.1";
  service.nodes[0].address = "127.0.0.1:9099";
  service.nodes[0].metadata["zone"] = "b";
  ASSERT_TRUE(here->Register(service, {}));
  EXPECT_TRUE(Eventually(
      [&] { return there->GetService(service.name) == std::vector<ServiceInfo>{service}; }));
}

TYPED_TEST_P(RegistryConformance, RegistrationEndsWithItsTtlUnlessRenewed) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  const auto brief = this->MakeService(UniqueServiceName("brief"), "1");
  ChangeLog log;
  const auto watch = there->Watch(brief.name, log.watcher());
  ASSERT_TRUE(here->Register(brief, {.ttl = std::chrono::seconds(2)}));
  ASSERT_TRUE(this->Finds(*there, brief.name, 1));
  EXPECT_TRUE(log.WaitForDelete(brief.nodes[0].id));
  EXPECT_TRUE(this->Finds(*there, brief.name, 0));
}

TYPED_TEST_P(RegistryConformance, ListNamesEveryService) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  const auto first = this->MakeService(UniqueServiceName("list"), "1");
  const auto second = this->MakeService(UniqueServiceName("list"), "1");
  ASSERT_TRUE(here->Register(second, {}));
  ASSERT_TRUE(here->Register(first, {}));
  EXPECT_TRUE(Eventually([&] {
    const auto all = there->ListServices();
    if (!all || !std::ranges::is_sorted(*all, {}, &ServiceInfo::name)) return false;
    return std::ranges::count(*all, first.name, &ServiceInfo::name) == 1 &&
           std::ranges::count(*all, second.name, &ServiceInfo::name) == 1;
  }));
}

TYPED_TEST_P(RegistryConformance, WatchTellsWhatComesAndGoes) {
  const auto here = this->registries_.Make();
  const auto there = this->registries_.Make();
  const auto service = this->MakeService(UniqueServiceName("watch"), "1");
  ChangeLog log;
  ChangeLog all;
  ChangeLog other;
  const auto watch = there->Watch(service.name, log.watcher());
  const auto watch_all = there->Watch("", all.watcher());
  const auto watch_other = there->Watch(UniqueServiceName("other"), other.watcher());
  ASSERT_TRUE(watch && watch_all && watch_other);
  ASSERT_TRUE(here->Register(service, {}));
  EXPECT_TRUE(log.WaitForCreate(service.nodes[0].id));
  EXPECT_TRUE(all.WaitForCreate(service.nodes[0].id));
  ASSERT_TRUE(here->Deregister(service));
  EXPECT_TRUE(log.WaitForDelete(service.nodes[0].id));
  EXPECT_TRUE(all.WaitForDelete(service.nodes[0].id));
  EXPECT_EQ(other.size(), 0U);
}

TYPED_TEST_P(RegistryConformance, WatchThatEndedTellsNothing) {
  const auto registry = this->registries_.Make();
  const auto service = this->MakeService(UniqueServiceName("ended"), "1");
  ChangeLog ended;
  ChangeLog kept;
  auto watch = registry->Watch(service.name, ended.watcher());
  const auto witness = registry->Watch(service.name, kept.watcher());
  ASSERT_TRUE(watch && witness);
  watch->Stop();
  ASSERT_TRUE(registry->Register(service, {}));
  EXPECT_TRUE(kept.WaitForCreate(service.nodes[0].id));
  EXPECT_EQ(ended.size(), 0U);
}

TYPED_TEST_P(RegistryConformance, SeveralThreadsMayUseIt) {
  const auto registry = this->registries_.Make();
  const std::string name = UniqueServiceName("threads");
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto service = this->MakeService(name, std::to_string(i), 9000 + i);
      for (int round = 0; round < 3; ++round) {
        if (!registry->Register(service, {})) ++failures;
        if (!this->Finds(*registry, name, 4) && round == 0) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(this->Finds(*registry, name, 4));
}

REGISTER_TYPED_TEST_SUITE_P(RegistryConformance, RegisteredServiceIsFoundAsItWasRegistered,
                            UnknownServiceIsNotFound, DeregisteredServiceIsGone,
                            DeregisteringTheUnknownIsNoError, ServiceWithoutNameOrNodesIsRejected,
                            NodesOfOneVersionAreOneService, VersionsAreKeptApart,
                            RegisteringAgainChangesNothing, RegisteringAgainPublishesWhatChanged,
                            RegistrationEndsWithItsTtlUnlessRenewed, ListNamesEveryService,
                            WatchTellsWhatComesAndGoes, WatchThatEndedTellsNothing,
                            SeveralThreadsMayUseIt);

}  // namespace micro::testing
