#include <map>

#include <gtest/gtest.h>

#include "micro/testing/selector_conformance.h"

#include "selector/consistent_hash.h"
#include "selector/least_loaded.h"
#include "selector/p2c.h"
#include "selector/prequal.h"
#include "selector/random.h"
#include "selector/round_robin.h"

namespace micro::testing {
namespace {

using namespace std::chrono_literals;

TimePoint g_now{};
TimePoint Now() { return g_now; }

const SelectorConfig kSlowStart = {.slow_start = 10s};

template <typename Kind>
struct Selectors {
  std::unique_ptr<Selector> Make() { return std::make_unique<Kind>(); }
};

// Nodes that say at once that they have nothing to do.
class IdleNodes final : public LoadProber {
 public:
  void Ask(const Node& /*node*/, Told told) override { told(0); }
};

struct ProbingSelectors {
  std::unique_ptr<Selector> Make() {
    const SelectorConfig config = {.prober = std::make_shared<IdleNodes>()};
    return std::make_unique<PrequalSelector>(config);
  }
};

using Kinds = ::testing::Types<Selectors<ConsistentHashSelector>, Selectors<LeastLoadedSelector>,
                               Selectors<P2cSelector>, Selectors<PrequalSelector>, ProbingSelectors,
                               Selectors<RandomSelector>, Selectors<RoundRobinSelector>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Ours, SelectorConformance, Kinds);

std::vector<std::string> AllBut(int kept, int count) {
  std::vector<std::string> ids;
  for (int i = 1; i <= count; ++i) {
    if (i != kept) ids.push_back(std::to_string(i));
  }
  return ids;
}

// --- those that count calls under way
// -------------------------------------------------------------

template <typename Kind>
class LoadSelectorTest : public ::testing::Test {
 protected:
  Pick TakeFrom(int node, int of) {
    return *selector_.Select({.tried = AllBut(node, of), .key = node});
  }
  std::uint32_t InFlight(const std::string& id) const { return selector_.nodes().InFlight(id); }

  Kind selector_{kSlowStart, Now};
};
using LoadKinds =
    ::testing::Types<ConsistentHashSelector, LeastLoadedSelector, P2cSelector, PrequalSelector>;
TYPED_TEST_SUITE(LoadSelectorTest, LoadKinds);

TYPED_TEST(LoadSelectorTest, CallsUnderWayAreCountedUntilTheirEndWhateverItIs) {
  this->selector_.Update(NumberedNodes(1));
  for (const Outcome outcome : {Outcome::kAnswered, Outcome::kUnreachable, Outcome::kTimedOut,
                                Outcome::kRefused, Outcome::kAbandoned}) {
    Pick pick = this->TakeFrom(1, 1);
    EXPECT_EQ(this->InFlight("1"), 1U);
    pick.Report(outcome);
    pick.Report(outcome);
    EXPECT_EQ(this->InFlight("1"), 0U);
  }
  {
    const Pick forgotten = this->TakeFrom(1, 1);
  }
  EXPECT_EQ(this->InFlight("1"), 0U);
}

TYPED_TEST(LoadSelectorTest, APickThatIsMovedIsCountedOnce) {
  this->selector_.Update(NumberedNodes(1));
  {
    Pick first = this->TakeFrom(1, 1);
    const Pick second = std::move(first);
    EXPECT_EQ(this->InFlight("1"), 1U);
  }
  EXPECT_EQ(this->InFlight("1"), 0U);
}

TYPED_TEST(LoadSelectorTest, NodesThatStayKeepTheirLoad) {
  this->selector_.Update(NumberedNodes(2));
  Pick pick = this->TakeFrom(1, 2);
  this->selector_.Update({{NumberedNode(1, "2"), NumberedNode(3)}});  // described anew
  EXPECT_EQ(this->InFlight("1"), 1U);
  pick.Report(Outcome::kAnswered);
  EXPECT_EQ(this->InFlight("1"), 0U);
}

TYPED_TEST(LoadSelectorTest, ANodeThatComesBackHasTheCallsThatItKept) {
  this->selector_.Update(NumberedNodes(2));
  Pick pick = this->TakeFrom(2, 2);
  this->selector_.Update(NumberedNodes(1));
  this->selector_.Update(NumberedNodes(2));
  EXPECT_EQ(this->InFlight("2"), 1U);
}

TYPED_TEST(LoadSelectorTest, LoadsOfThreadsAddUpToNothing) {
  this->selector_.Update(NumberedNodes(3));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([this, i] {
      for (int call = 0; call < 3000; ++call) {
        auto pick = this->selector_.Select({.key = call});
        if (pick && i > 0) pick->Report(static_cast<Outcome>(call % 5));
      }
    });
  }
  for (int i = 0; i < 100; ++i) this->selector_.Update(NumberedNodes(2 + i % 2));
  for (std::thread& thread : threads) thread.join();
  this->selector_.Update(NumberedNodes(3));
  for (const char* id : {"1", "2", "3"}) EXPECT_EQ(this->InFlight(id), 0U) << id;
}

// Calls without a key, for consistent_hash.
TYPED_TEST(LoadSelectorTest, OfTwoNodesTheOneWithLessUnderWayIsPicked) {
  this->selector_.Update(NumberedNodes(2));
  const Pick busy = this->TakeFrom(1, 2);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(this->selector_.Select({})->node().id, "2");
}

TYPED_TEST(LoadSelectorTest, CallsUnderWayAreMeasuredByWeight) {
  this->selector_.Update({{NumberedNode(1, "4"), NumberedNode(2)}});
  std::vector<Pick> picks;
  for (int i = 0; i < 3; ++i) picks.push_back(this->TakeFrom(1, 2));
  picks.push_back(this->TakeFrom(2, 2));
  EXPECT_EQ(this->selector_.Select({})->node().id, "1");
}

TYPED_TEST(LoadSelectorTest, ANodeThatFailsIsNotTakenForAnIdleOne) {
  this->selector_.Update(NumberedNodes(2));
  const Pick busy = this->TakeFrom(1, 2);
  for (int i = 0; i < 2; ++i) this->TakeFrom(2, 2).Report(Outcome::kRefused);
  EXPECT_EQ(this->selector_.Select({})->node().id, "1");
  g_now += 6s;  // forgotten
  EXPECT_EQ(this->selector_.Select({})->node().id, "2");
}

TYPED_TEST(LoadSelectorTest, AnAnswerMakesUpForAFailure) {
  this->selector_.Update(NumberedNodes(2));
  const Pick busy = this->TakeFrom(1, 2);
  this->TakeFrom(2, 2).Report(Outcome::kRefused);
  this->TakeFrom(2, 2).Report(Outcome::kAnswered);
  EXPECT_EQ(this->selector_.Select({})->node().id, "2");
}

TEST(LeastLoadedSelectorTest, TheLeastBusyOfAllIsFound) {
  LeastLoadedSelector selector;
  selector.Update(NumberedNodes(64));
  std::map<std::string, int> counts;
  std::vector<Pick> picks;
  for (int i = 0; i < 640; ++i) {
    picks.push_back(*selector.Select({}));
    ++counts[picks.back().node().id];
  }
  EXPECT_EQ(counts.size(), 64U);
  for (const auto& [id, count] : counts) EXPECT_EQ(count, 10) << id;
}

TEST(LeastLoadedSelectorTest, BeyondWhatItScansNodesStayCloseToEachOther) {
  LeastLoadedSelector selector;
  selector.Update(NumberedNodes(200));
  std::vector<Pick> picks;
  for (int i = 0; i < 2000; ++i) picks.push_back(*selector.Select({}));
  std::uint32_t most = 0;
  for (int i = 1; i <= 200; ++i) {
    most = std::max(most, selector.nodes().InFlight(std::to_string(i)));
  }
  EXPECT_LE(most, 16U);  // of 10; at random it would be about 20
}

// --- slow start
// -----------------------------------------------------------------------------------

template <typename Kind>
class SlowStartTest : public ::testing::Test {
 protected:
  double ShareOf(const std::string& id) {
    constexpr int kCalls = 4000;
    int hits = 0;
    for (int i = 0; i < kCalls; ++i) hits += selector_.Select({})->node().id == id ? 1 : 0;
    return static_cast<double>(hits) / kCalls;
  }

  Kind selector_{kSlowStart, Now};
};
using SlowStarters = ::testing::Types<LeastLoadedSelector, P2cSelector, PrequalSelector,
                                      RandomSelector, RoundRobinSelector>;
TYPED_TEST_SUITE(SlowStartTest, SlowStarters);

TYPED_TEST(SlowStartTest, TheFirstNodesAreNotNew) {
  this->selector_.Update(NumberedNodes(2));
  EXPECT_NEAR(this->ShareOf("1"), 0.5, 0.05);
}

TYPED_TEST(SlowStartTest, ANewNodeGetsItsShareByAndBy) {
  this->selector_.Update(NumberedNodes(1));
  g_now += 1s;
  this->selector_.Update(NumberedNodes(2));
  EXPECT_NEAR(this->ShareOf("2"), 0.1 / 1.1, 0.04);
  g_now += 5s;
  EXPECT_NEAR(this->ShareOf("2"), 0.5 / 1.5, 0.05);
  g_now += 5s;
  EXPECT_NEAR(this->ShareOf("2"), 0.5, 0.05);
}

TYPED_TEST(SlowStartTest, NodesThatAreFoundTogetherAreNotNew) {
  this->selector_.Update(NumberedNodes(1));
  g_now += 900ms;
  this->selector_.Update(NumberedNodes(2));
  EXPECT_NEAR(this->ShareOf("2"), 0.5, 0.05);
}

TYPED_TEST(SlowStartTest, ANodeThatIsAloneHasAllCalls) {
  this->selector_.Update(NumberedNodes(1));
  g_now += 1s;
  this->selector_.Update({{NumberedNode(2)}});
  EXPECT_EQ(this->ShareOf("2"), 1);
}

// --- round robin
// ----------------------------------------------------------------------------------

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
  for (const NodePtr& node : NumberedNodes(3)) counts[node->id] = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 100; ++call) ++counts.at(selector.Select({})->node().id);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& [id, count] : counts) EXPECT_EQ(count, 100) << id;
}

TEST(RoundRobinSelectorTest, TheTurnsOfALightNodeAreSpread) {
  RoundRobinSelector selector;
  selector.Update({{NumberedNode(1, "2"), NumberedNode(2)}});
  std::string order;
  for (int i = 0; i < 6; ++i) order += selector.Select({})->node().id;
  EXPECT_EQ(std::ranges::count(order, '1'), 4) << order;
  EXPECT_EQ(order.find("22"), std::string::npos) << order;
}

// --- consistent hash
// ------------------------------------------------------------------------------

class ConsistentHashTest : public ::testing::Test {
 protected:
  std::string NodeFor(RoutingKey key, const std::vector<std::string>& tried = {}) {
    const auto pick = selector_.Select({.tried = tried, .key = key});
    return pick ? pick->node().id : "";
  }
  std::vector<std::string> NodesForKeys() {
    std::vector<std::string> nodes;
    for (int key = 0; key < 1000; ++key) nodes.push_back(NodeFor(key));
    return nodes;
  }

  ConsistentHashSelector selector_;
};

TEST_F(ConsistentHashTest, AKeyStaysWithItsNode) {
  selector_.Update(NumberedNodes(10));
  const std::string node = NodeFor("alice");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(NodeFor(std::string("alice")), node);
}

TEST_F(ConsistentHashTest, AnotherClientFindsTheSame) {
  selector_.Update(NumberedNodes(5));
  const auto nodes = NodesForKeys();
  auto reversed = NumberedNodes(5);
  std::ranges::reverse(reversed);
  selector_.Update(reversed);
  EXPECT_EQ(NodesForKeys(), nodes);
}

TEST_F(ConsistentHashTest, OnlyTheKeysOfANodeThatGoesMove) {
  selector_.Update(NumberedNodes(10));
  const auto before = NodesForKeys();
  selector_.Update(NumberedNodes(9));
  const auto after = NodesForKeys();
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(after[i] == before[i] || before[i] == "10") << i;
  }
}

TEST_F(ConsistentHashTest, ANodeThatComesTakesOnlyItsPart) {
  selector_.Update(NumberedNodes(9));
  const auto before = NodesForKeys();
  selector_.Update(NumberedNodes(10));
  const auto after = NodesForKeys();
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (after[i] == before[i]) continue;
    EXPECT_EQ(after[i], "10");
    ++moved;
  }
  EXPECT_GT(moved, 50);
  EXPECT_LT(moved, 160);
}

TEST_F(ConsistentHashTest, TheSecondChoiceOfAKeyIsFixedToo) {
  selector_.Update(NumberedNodes(10));
  const std::string first = NodeFor("alice");
  const std::string second = NodeFor("alice", {first});
  EXPECT_NE(second, first);
  EXPECT_EQ(NodeFor("alice", {first}), second);
}

TEST_F(ConsistentHashTest, NoNodeGetsMuchMoreThanItsPart) {
  selector_.Update(NumberedNodes(10));
  std::vector<Pick> picks;
  for (int i = 0; i < 1000; ++i) picks.push_back(*selector_.Select({.key = "the same"}));
  for (int i = 1; i <= 10; ++i) {
    EXPECT_LE(selector_.nodes().InFlight(std::to_string(i)), 125U) << i;
  }
}

TEST_F(ConsistentHashTest, AKeyIsTheSameNumberInEveryProcess) {
  EXPECT_EQ(RoutingKey("alice").hash(), RoutingKey(std::string("alice")).hash());
  EXPECT_EQ(RoutingKey("alice").hash(), 3821251815001557236U);
  EXPECT_NE(RoutingKey(1).hash(), RoutingKey(2).hash());
  EXPECT_FALSE(RoutingKey().given());
}

}  // namespace
}  // namespace micro::testing
