#include "registry/mdns/mdns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "micro/testing/registry_conformance.h"

namespace micro::testing {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Two registries that share no responder, as if they were in two processes: their choices of
// interface are spelt differently.
struct MdnsRegistries {
  std::shared_ptr<Registry> Make() {
    const bool first = count++ % 2 == 0;
    return MakeMdnsRegistry({.addresses = {first ? "127.0.0.1" : "lo"}}).value();
  }
  int count = 0;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Mdns, RegistryConformance, MdnsRegistries);

// Both ends on one responder, as in one process.
struct SharedMdnsRegistries {
  std::shared_ptr<Registry> Make() {
    return MakeMdnsRegistry({.addresses = {"127.0.0.1"}}).value();
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(SharedMdns, RegistryConformance, SharedMdnsRegistries);

std::shared_ptr<Registry> OnLoopback() {
  return MakeMdnsRegistry({.addresses = {"127.0.0.1"}}).value();
}

TEST(MdnsRegistryTest, UnknownInterfaceIsAnErrorThatListsTheKnown) {
  for (const char* name : {"nosuch0", "192.0.2.254", "::1", "no such"}) {
    const auto registry = MakeMdnsRegistry({.addresses = {name}});
    ASSERT_FALSE(registry) << name;
    EXPECT_EQ(registry.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(registry.error().phase(), Phase::kConfigure);
    EXPECT_THAT(
        registry.error().detail(),
        AllOf(HasSubstr("--registry_address=" + std::string(name)), HasSubstr("127.0.0.1")));
  }
}

TEST(MdnsRegistryTest, NotFoundSaysWhatWasTriedAndSeen) {
  const auto registry = OnLoopback();
  const std::string other = UniqueServiceName("other");
  ASSERT_TRUE(
      registry->Register({.name = other, .nodes = {{.id = "1", .address = "127.0.0.1:9"}}}, {}));
  const std::string name = UniqueServiceName("missing");
  const auto found = registry->GetService(name);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().detail(),
              AllOf(HasSubstr("no answer for \"" + name + "\" from mdns within 100ms"),
                    HasSubstr("domain micro, interfaces lo 127.0.0.1;"),
                    HasSubstr("services seen: "), HasSubstr(other)));
}

TEST(MdnsRegistryTest, AnAddressItCannotCarryIsRejected) {
  const auto registry = OnLoopback();
  for (const char* address : {"localhost:80", "127.0.0.1:0", "127.0.0.1", "0.0.0.0:80", "[::]:80",
                              "[fe80::1%lo]:80", ""}) {
    const Status status =
        registry->Register({.name = "s", .nodes = {{.id = "s-1", .address = address}}}, {});
    ASSERT_FALSE(status) << address;
    EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(status.error().detail(), HasSubstr("s-1"));
  }
}

TEST(MdnsRegistryTest, NamesDnsCannotCarryAreRejected) {
  const auto registry = OnLoopback();
  const Node node{.id = "n-1", .address = "127.0.0.1:80"};
  for (const std::string& name :
       {std::string("a..b"), std::string(64, 'x'), std::string(120, '.'), std::string(".a")}) {
    EXPECT_FALSE(registry->Register({.name = name, .nodes = {node}}, {})) << name;
    EXPECT_EQ(registry->GetService(name).error().code(), Code::kInvalidArgument) << name;
  }
  EXPECT_FALSE(
      registry->Register({.name = "s", .nodes = {{.id = "", .address = "127.0.0.1:80"}}}, {}));
}

TEST(MdnsRegistryTest, WhatFitsInNoDatagramIsRejected) {
  std::string noise;
  for (std::uint32_t i = 0, x = 1; i < 100'000; ++i) {
    x = x * 1664525 + 1013904223;
    noise += static_cast<char>('0' + (x >> 24) % 70);
  }
  const Node node{.id = "n-1", .address = "127.0.0.1:80", .metadata = {{"noise", noise}}};
  const Status status = OnLoopback()->Register({.name = "s", .nodes = {node}}, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
}

TEST(MdnsRegistryTest, NodesOfBothFamiliesAndLargeRecordsArrive) {
  const auto registry = OnLoopback();
  ServiceInfo service{.name = UniqueServiceName("big"), .version = "1"};
  for (int i = 0; i < 300; ++i) {
    service.endpoints.push_back({.name = "Greeter.Method" + std::to_string(i * 7919)});
  }
  service.nodes = {{.id = "four.with.dots", .address = "127.0.0.1:80"},
                   {.id = "six", .address = "[2001:db8::1]:8080"}};
  ASSERT_TRUE(registry->Register(service, {}));
  auto found = registry->GetService(service.name);
  ASSERT_TRUE(found) << found.error().detail();
  ASSERT_EQ(found->size(), 1U);
  std::ranges::sort((*found)[0].nodes, {}, &Node::id);
  EXPECT_EQ((*found)[0], service);
}

TEST(MdnsRegistryTest, WhatItAnnouncedEndsWithIt) {
  const auto witness = OnLoopback();
  const ServiceInfo service{.name = UniqueServiceName("scope"),
                            .version = "1",
                            .nodes = {{.id = "n-1", .address = "127.0.0.1:80"}}};
  ChangeLog log;
  const auto watch = witness->Watch(service.name, log.watcher());
  {
    const auto registry = OnLoopback();
    ASSERT_TRUE(registry->Register(service, {}));
    EXPECT_TRUE(log.WaitForCreate("n-1"));
  }
  EXPECT_TRUE(log.WaitForDelete("n-1"));
  EXPECT_FALSE(witness->GetService(service.name));
}

TEST(MdnsRegistryTest, RenewalKeepsANodeAlive) {
  using namespace std::chrono_literals;
  const auto registry = OnLoopback();
  const ServiceInfo kept{.name = UniqueServiceName("kept"),
                         .nodes = {{.id = "kept-1", .address = "127.0.0.1:80"}}};
  const ServiceInfo brief{.name = UniqueServiceName("brief"),
                          .nodes = {{.id = "brief-1", .address = "127.0.0.1:80"}}};
  ASSERT_TRUE(registry->Register(kept, {.ttl = 20ms}));
  ASSERT_TRUE(registry->Register(kept, {.ttl = 1h}));
  ASSERT_TRUE(registry->Register(brief, {.ttl = 20ms}));
  EXPECT_TRUE(Eventually([&] { return !registry->GetService(brief.name); }));
  EXPECT_TRUE(registry->GetService(kept.name));
}

}  // namespace micro::testing
