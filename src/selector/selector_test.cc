#include <map>

#include <gtest/gtest.h>

#include "micro/testing/selector_conformance.h"

#include "selector/random.h"
#include "selector/round_robin.h"

namespace micro::testing {

struct RandomSelectors {
  std::unique_ptr<Selector> Make() { return std::make_unique<RandomSelector>(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Random, SelectorConformance, RandomSelectors);

struct RoundRobinSelectors {
  std::unique_ptr<Selector> Make() { return std::make_unique<RoundRobinSelector>(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(RoundRobin, SelectorConformance, RoundRobinSelectors);

TEST(RoundRobinSelectorTest, TakesTurnsAcrossCalls) {
  RoundRobinSelector selector;
  selector.Update(NumberedNodes(3));
  std::string order;
  for (int i = 0; i < 9; ++i) order += selector.Select({})->node().id;
  EXPECT_EQ(order, "123123123");
}

TEST(RoundRobinSelectorTest, TakesTurnsAcrossThreads) {
  RoundRobinSelector selector;
  selector.Update(NumberedNodes(3));
  std::map<std::string, std::atomic<int>> counts;
  for (const Node& node : NumberedNodes(3)) counts[node.id] = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 100; ++call) ++counts.at(selector.Select({})->node().id);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& [id, count] : counts) EXPECT_EQ(count, 100) << id;
}

}  // namespace micro::testing
