#include "broker/memory/memory.h"

#include <gtest/gtest.h>

#include "micro/testing/broker_conformance.h"

namespace micro::testing {

struct MemoryBrokers {
  std::shared_ptr<Broker> Make() { return MakeMemoryBroker(bus, {}).value(); }
  std::shared_ptr<MemoryBus> bus = MakeMemoryBus();
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, BrokerConformance, MemoryBrokers);

TEST(MemoryBrokerTest, TakesNoAddress) {
  const auto broker = MakeMemoryBroker(MakeMemoryBus(), {.addresses = {"x"}});
  ASSERT_FALSE(broker);
  EXPECT_EQ(broker.error().phase(), Phase::kConfigure);
}

TEST(MemoryBrokerTest, SubscriptionsMayOutliveTheirBroker) {
  const auto bus = MakeMemoryBus();
  auto broker = MakeMemoryBroker(bus, {}).value();
  Inbox inbox;
  auto subscription = broker->Subscribe({.topic = "a"}, inbox.receiver());
  ASSERT_TRUE(subscription);
  broker.reset();
  const auto other = MakeMemoryBroker(bus, {}).value();
  EXPECT_TRUE(other->Publish("a", {}));
  EXPECT_EQ(inbox.size(), 0U);
}

}  // namespace micro::testing
