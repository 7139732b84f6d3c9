#include "events/memory/memory.h"

#include <gtest/gtest.h>

#include "micro/testing/events_conformance.h"

namespace micro::testing {

struct MemoryStores {
  std::shared_ptr<Events> Make() { return MakeMemoryEvents(log, {}).value(); }
  std::shared_ptr<EventLog> log = MakeEventLog();
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, EventsConformance, MemoryStores);

TEST(MemoryEventsTest, TheOldestGoWhenThereIsNoRoom) {
  EventsConfig config;
  config.max_bytes = 1000;
  const auto events = MakeMemoryEvents(MakeEventLog(), config).value();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(events->Append("a", {.metadata = {}, .body = std::string(99, 'x')}));
  }
  Hands hands;
  const auto subscription = events->Consume("a", {}, hands.consumer());
  ASSERT_TRUE(hands.WaitFor(10));
  EXPECT_EQ(hands.events()[0].sequence, 11U);
}

TEST(MemoryEventsTest, TakesNoAddress) {
  EventsConfig config;
  config.server.addresses = {"x"};
  EXPECT_FALSE(MakeMemoryEvents(MakeEventLog(), config));
}

}  // namespace micro::testing
