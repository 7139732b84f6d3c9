#include "registry/memory/memory.h"

#include <gtest/gtest.h>

#include "micro/testing/registry_conformance.h"

namespace micro::testing {

struct MemoryRegistries {
  std::shared_ptr<Registry> Make() { return registry; }
  std::shared_ptr<Registry> registry = MakeMemoryRegistry({}).value();
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, RegistryConformance, MemoryRegistries);

TEST(MemoryRegistryTest, TakesNoAddress) {
  const auto registry = MakeMemoryRegistry({.addresses = {"x"}});
  ASSERT_FALSE(registry);
  EXPECT_EQ(registry.error().phase(), Phase::kConfigure);
}

TEST(MemoryRegistryTest, RenewalKeepsANodeAlive) {
  using namespace std::chrono_literals;
  const auto registry = MakeMemoryRegistry({}).value();
  const ServiceInfo kept{.name = "kept", .nodes = {{.id = "kept-1"}}};
  const ServiceInfo brief{.name = "brief", .nodes = {{.id = "brief-1"}}};
  ASSERT_TRUE(registry->Register(kept, {.ttl = 1ms}));
  ASSERT_TRUE(registry->Register(kept, {.ttl = 1h}));
  ASSERT_TRUE(registry->Register(brief, {.ttl = 1ms}));
  EXPECT_TRUE(Eventually([&] { return registry->ListServices()->size() == 1; }));
  EXPECT_TRUE(registry->GetService("kept"));
}

}  // namespace micro::testing
