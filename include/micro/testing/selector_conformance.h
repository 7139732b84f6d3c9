#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "micro/selector.h"

/// What every selector has to do, as tests. For a selector of one's own:
///
///     struct MySelectors {
///       std::unique_ptr<micro::Selector> Make();
///     };
///     INSTANTIATE_TYPED_TEST_SUITE_P(Mine, SelectorConformance, MySelectors);
///
/// in namespace micro::testing.
namespace micro::testing {

/// A node "1", "2" and so on; an empty weight is not told.
inline NodePtr NumberedNode(int i, const std::string& weight = "") {
  const std::string number = std::to_string(i);
  Node node{.id = number, .address = "127.0.0.1:" + number, .metadata = {{"n", number}}};
  if (!weight.empty()) node.metadata["weight"] = weight;
  return std::make_shared<const Node>(std::move(node));
}

inline std::vector<NodePtr> NumberedNodes(int count) {
  std::vector<NodePtr> nodes;
  for (int i = 1; i <= count; ++i) nodes.push_back(NumberedNode(i));
  return nodes;
}

template <typename Selectors>
class SelectorConformance : public ::testing::Test {
 protected:
  // Paths and keys differ, for selectors that go by them.
  Result<Pick> Begin(const std::vector<std::string>& tried = {}) {
    const int call = ++calls_;
    const std::string path = "/test.Test/Method" + std::to_string(call);
    return selector_->Select({.tried = tried, .path = path, .key = call});
  }

  std::string Select(const std::vector<std::string>& tried = {}) {
    auto pick = Begin(tried);
    if (!pick) return "";
    pick->Report(Outcome::kAnswered);
    return pick->node().id;
  }

  std::set<std::string> SelectMany(int times) {
    std::set<std::string> ids;
    for (int i = 0; i < times; ++i) ids.insert(Select());
    return ids;
  }

  std::map<std::string, int> CountMany(int times) {
    std::map<std::string, int> counts;
    for (int i = 0; i < times; ++i) ++counts[Select()];
    return counts;
  }

  Selectors selectors_;
  std::unique_ptr<Selector> selector_ = selectors_.Make();
  std::atomic<int> calls_ = 0;
};

TYPED_TEST_SUITE_P(SelectorConformance);

TYPED_TEST_P(SelectorConformance, WithoutNodesThereIsNothingToPick) {
  const auto pick = this->selector_->Select({});
  ASSERT_FALSE(pick);
  EXPECT_EQ(pick.error().code(), Code::kUnavailable);
  EXPECT_FALSE(pick.error().detail().empty());
}

TYPED_TEST_P(SelectorConformance, ThePickIsTheWholeNode) {
  this->selector_->Update(NumberedNodes(1));
  const auto pick = this->selector_->Select({});
  ASSERT_TRUE(pick);
  EXPECT_EQ(pick->node(), *NumberedNode(1));
}

TYPED_TEST_P(SelectorConformance, EveryNodeIsReached) {
  this->selector_->Update(NumberedNodes(5));
  EXPECT_EQ(this->SelectMany(1000), (std::set<std::string>{"1", "2", "3", "4", "5"}));
}

TYPED_TEST_P(SelectorConformance, ATriedNodeIsNotPickedAgain) {
  this->selector_->Update(NumberedNodes(4));
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> tried;
    while (tried.size() < 4) {
      const std::string id = this->Select(tried);
      ASSERT_NE(id, "");
      ASSERT_EQ(std::count(tried.begin(), tried.end(), id), 0);
      tried.push_back(id);
    }
  }
}

TYPED_TEST_P(SelectorConformance, WhenAllAreTriedThereIsNothingToPick) {
  this->selector_->Update(NumberedNodes(2));
  const std::vector<std::string> tried = {"2", "1"};
  const auto pick = this->selector_->Select({.tried = tried});
  ASSERT_FALSE(pick);
  EXPECT_EQ(pick.error().code(), Code::kUnavailable);
}

TYPED_TEST_P(SelectorConformance, TriedNodesThatHaveGoneDoNoHarm) {
  this->selector_->Update(NumberedNodes(1));
  EXPECT_EQ(this->Select({"8", "9"}), "1");
}

TYPED_TEST_P(SelectorConformance, UpdateReplacesTheNodes) {
  this->selector_->Update(NumberedNodes(3));
  this->SelectMany(10);
  std::vector<NodePtr> nodes = NumberedNodes(5);
  nodes.erase(nodes.begin(), nodes.begin() + 3);
  this->selector_->Update(nodes);
  EXPECT_EQ(this->SelectMany(500), (std::set<std::string>{"4", "5"}));
  this->selector_->Update({});
  EXPECT_FALSE(this->selector_->Select({}));
}

TYPED_TEST_P(SelectorConformance, APickOutlivesItsNode) {
  this->selector_->Update(NumberedNodes(1));
  auto pick = this->selector_->Select({});
  ASSERT_TRUE(pick);
  this->selector_->Update({});
  EXPECT_EQ(pick->node().id, "1");
  pick->Report(Outcome::kUnreachable);
}

TYPED_TEST_P(SelectorConformance, EveryOutcomeMayBeReported) {
  this->selector_->Update(NumberedNodes(2));
  for (const Outcome outcome :
       {Outcome::kAnswered, Outcome::kUnreachable, Outcome::kTimedOut, Outcome::kAbandoned}) {
    auto pick = this->selector_->Select({});
    ASSERT_TRUE(pick);
    pick->Report(outcome);
    pick->Report(outcome);  // the second is nothing
  }
  EXPECT_TRUE(this->selector_->Select({}));
}

TYPED_TEST_P(SelectorConformance, AllNodesOfManyAreReached) {
  this->selector_->Update(NumberedNodes(200));
  EXPECT_EQ(this->SelectMany(20'000).size(), 200U);
}

TYPED_TEST_P(SelectorConformance, ANodeMayChangeItsAddress) {
  this->selector_->Update(NumberedNodes(2));
  auto pick = this->Begin();
  ASSERT_TRUE(pick);
  const NodePtr moved =
      std::make_shared<const Node>(Node{.id = "1", .address = "127.0.0.2:1", .metadata = {}});
  this->selector_->Update({{moved}});
  pick->Report(Outcome::kAnswered);
  const auto next = this->Begin();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->node().address, "127.0.0.2:1");
}

TYPED_TEST_P(SelectorConformance, CallsAreSpreadEvenly) {
  this->selector_->Update(NumberedNodes(4));
  for (const auto& [id, count] : this->CountMany(8000)) {
    EXPECT_GT(count, 1400) << id;
    EXPECT_LT(count, 2600) << id;
  }
}

TYPED_TEST_P(SelectorConformance, AWeightIsAShareOfTheCalls) {
  this->selector_->Update(
      {{NumberedNode(1, "1"), NumberedNode(2, "3"), NumberedNode(3), NumberedNode(4, "much")}});
  const auto counts = this->CountMany(12'000);
  EXPECT_GT(counts.at("2"), 5000);
  EXPECT_LT(counts.at("2"), 7000);
  for (const char* light : {"1", "3", "4"}) {
    EXPECT_GT(counts.at(light), 1300) << light;
    EXPECT_LT(counts.at(light), 2700) << light;
  }
}

TYPED_TEST_P(SelectorConformance, CallsUnderWayAreSpreadOverAllNodes) {
  this->selector_->Update(NumberedNodes(4));
  std::vector<Pick> picks;
  std::map<std::string, int> counts;
  for (int i = 0; i < 400; ++i) {
    auto pick = this->Begin();
    ASSERT_TRUE(pick);
    ++counts[pick->node().id];
    picks.push_back(*std::move(pick));
  }
  for (const auto& [id, count] : counts) EXPECT_GT(count, 50) << id;
  EXPECT_EQ(counts.size(), 4U);
}

// Where they are counted at all.
TYPED_TEST_P(SelectorConformance, CallsAreInFlightAsLongAsTheirPicks) {
  this->selector_->Update(NumberedNodes(1));
  if (!this->selector_->InFlight("1")) return;
  for (const Outcome outcome : {Outcome::kAnswered, Outcome::kUnreachable, Outcome::kTimedOut,
                                Outcome::kRefused, Outcome::kAbandoned}) {
    auto reported = this->Begin();
    {
      const auto forgotten = this->Begin();
      EXPECT_EQ(this->selector_->InFlight("1"), 2U);
    }
    EXPECT_EQ(this->selector_->InFlight("1"), 1U);
    reported->Report(outcome);
    EXPECT_EQ(this->selector_->InFlight("1"), 0U);
  }
}

TYPED_TEST_P(SelectorConformance, NodesMayChangeWhileThreadsPick) {
  this->selector_->Update(NumberedNodes(3));
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        auto pick = this->Begin();
        failures += pick ? 0 : 1;
        if (pick) pick->Report(Outcome::kTimedOut);
      }
    });
  }
  for (int round = 0; round < 200; ++round) this->selector_->Update(NumberedNodes(1 + round % 5));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

REGISTER_TYPED_TEST_SUITE_P(SelectorConformance, WithoutNodesThereIsNothingToPick,
                            ThePickIsTheWholeNode, EveryNodeIsReached, AllNodesOfManyAreReached,
                            ATriedNodeIsNotPickedAgain, WhenAllAreTriedThereIsNothingToPick,
                            TriedNodesThatHaveGoneDoNoHarm, UpdateReplacesTheNodes,
                            ANodeMayChangeItsAddress, APickOutlivesItsNode,
                            EveryOutcomeMayBeReported, CallsAreSpreadEvenly,
                            AWeightIsAShareOfTheCalls, CallsUnderWayAreSpreadOverAllNodes,
                            CallsAreInFlightAsLongAsTheirPicks, NodesMayChangeWhileThreadsPick);

}  // namespace micro::testing
