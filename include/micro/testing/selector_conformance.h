#pragma once

#include <atomic>
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

/// Nodes "1", "2" and so on.
inline std::vector<Node> NumberedNodes(int count) {
  std::vector<Node> nodes;
  for (int i = 1; i <= count; ++i) {
    const std::string number = std::to_string(i);
    nodes.push_back({.id = number, .address = "127.0.0.1:" + number, .metadata = {{"n", number}}});
  }
  return nodes;
}

template <typename Selectors>
class SelectorConformance : public ::testing::Test {
 protected:
  // Paths differ, for selectors that go by them.
  std::string Select(const std::vector<std::string>& tried = {}) {
    const std::string path = "/test.Test/Method" + std::to_string(++calls_);
    auto pick = selector_->Select({.tried = tried, .path = path});
    if (!pick) return "";
    pick->Report(Outcome::kAnswered);
    return pick->node().id;
  }

  std::set<std::string> SelectMany(int times) {
    std::set<std::string> ids;
    for (int i = 0; i < times; ++i) ids.insert(Select());
    return ids;
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
  EXPECT_EQ(pick->node(), NumberedNodes(1).front());
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
  std::vector<Node> nodes = NumberedNodes(5);
  nodes.erase(nodes.begin(), nodes.begin() + 3);
  this->selector_->Update(std::move(nodes));
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

TYPED_TEST_P(SelectorConformance, NodesMayChangeWhileThreadsPick) {
  this->selector_->Update(NumberedNodes(3));
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) failures += this->Select().empty() ? 1 : 0;
    });
  }
  for (int round = 0; round < 200; ++round) this->selector_->Update(NumberedNodes(1 + round % 5));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

REGISTER_TYPED_TEST_SUITE_P(SelectorConformance, WithoutNodesThereIsNothingToPick,
                            ThePickIsTheWholeNode, EveryNodeIsReached, ATriedNodeIsNotPickedAgain,
                            WhenAllAreTriedThereIsNothingToPick, TriedNodesThatHaveGoneDoNoHarm,
                            UpdateReplacesTheNodes, APickOutlivesItsNode, EveryOutcomeMayBeReported,
                            NodesMayChangeWhileThreadsPick);

}  // namespace micro::testing
