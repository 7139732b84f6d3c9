// Interfaces that come and go. They are made and removed by the tests, which for that need a
// network namespace of their own: tests/namespace/ runs them in one; elsewhere they are skipped.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "micro/testing/registry_conformance.h"

#include "registry/mdns/mdns.h"

namespace micro::mdns {
namespace {

using testing::Eventually;
using testing::UniqueServiceName;

class MdnsInterfacesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("MICRO_TEST_NAMESPACE") == nullptr) {
      GTEST_SKIP() << "not in a network namespace of its own";
    }
  }
  void TearDown() override { std::system("ip link delete micro9 2>/dev/null"); }

  static void Run(const std::string& command) {
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }

  static void Plug(const std::string& address) {
    Run("ip link add micro9 type veth peer name micro10");
    Run("ip address add " + address + "/24 dev micro9");
    Run("ip link set micro9 up && ip link set micro10 up");
  }
  static void Unplug() { Run("ip link delete micro9"); }

  // Somebody on the interface asks until there is an answer. No time is asserted: where the kernel
  // tells of interfaces it takes a fraction of a second, elsewhere the next look at them.
  static bool Answers(const std::string& service, const std::string& address) {
    return Eventually([&] {
      const auto client = MakeMdnsRegistry({.addresses = {address}});
      return client && (*client)->GetService(service).has_value();
    });
  }

  // An interface that has just come up carries nothing for a moment, and may not be chosen.
  static std::shared_ptr<Registry> On(const std::string& address) {
    std::shared_ptr<Registry> registry;
    EXPECT_TRUE(Eventually([&] {
      if (auto made = MakeMdnsRegistry({.addresses = {address}})) registry = *std::move(made);
      return registry != nullptr;
    }));
    return registry;
  }

  static ServiceInfo OneNode(const std::string& address) {
    const std::string name = UniqueServiceName("plugged");
    return {.name = name, .nodes = {{.id = name + "-1", .address = address + ":80"}}};
  }
};

TEST_F(MdnsInterfacesTest, OneThatComesLaterIsUsed) {
  const auto registry = MakeMdnsRegistry({}).value();
  const ServiceInfo service = OneNode("10.78.0.1");
  ASSERT_TRUE(registry->Register(service, {}));
  Plug("10.78.0.1");
  EXPECT_TRUE(Answers(service.name, "10.78.0.1"));
}

TEST_F(MdnsInterfacesTest, OneThatGoesAndComesBackIsUsedAgain) {
  Plug("10.78.0.1");
  const auto registry = MakeMdnsRegistry({}).value();
  const ServiceInfo service = OneNode("10.78.0.1");
  ASSERT_TRUE(registry->Register(service, {}));
  EXPECT_TRUE(Answers(service.name, "10.78.0.1"));
  Unplug();
  EXPECT_TRUE(registry->Register(service, {})) << "lo is left";
  Plug("10.78.0.2");
  EXPECT_TRUE(Answers(service.name, "10.78.0.2"));
}

TEST_F(MdnsInterfacesTest, AWatchHearsOnAnInterfaceThatCameLater) {
  const auto registry = MakeMdnsRegistry({}).value();
  const ServiceInfo service = OneNode("10.78.0.1");
  testing::ChangeLog log;
  const auto watch = registry->Watch(service.name, log.watcher());
  Plug("10.78.0.1");
  const auto other = On("10.78.0.1");
  ASSERT_TRUE(other && other->Register(service, {}).has_value());
  EXPECT_TRUE(log.WaitForCreate(service.nodes[0].id));
}

TEST_F(MdnsInterfacesTest, ALookupWithoutAnyInterfaceSaysSo) {
  Run("ip link set lo down");
  const auto registry = MakeMdnsRegistry({}).value();
  const auto found = registry->GetService("nobody");
  Run("ip link set lo up");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnavailable);
  EXPECT_THAT(found.error().detail(), ::testing::HasSubstr("could not ask on any interface"));
}

}  // namespace
}  // namespace micro::mdns
