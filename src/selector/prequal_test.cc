#include "selector/prequal.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "micro/testing/selector_conformance.h"

namespace micro {
namespace {

using namespace std::chrono_literals;
using testing::NumberedNode;
using testing::NumberedNodes;

TimePoint g_now = TimePoint() + 1h;
TimePoint Now() { return g_now; }

// Nodes that say what the test has set, once it lets them.
class Nodes final : public LoadProber {
 public:
  void Ask(const Node& node, Told told) override { asked_.emplace_back(node.id, std::move(told)); }

  std::set<std::string> asked() const {
    std::set<std::string> ids;
    for (const auto& [id, told] : asked_) ids.insert(id);
    return ids;
  }
  std::size_t questions() const { return asked_.size(); }
  void Answer() {
    for (auto& [id, told] : std::exchange(asked_, {})) {
      const auto load = loads.find(id);
      told(load != loads.end() ? Result<std::uint32_t>(load->second)
                               : Result<std::uint32_t>(Unimplemented("unknown service Load")));
    }
  }

  std::map<std::string, std::uint32_t> loads;

 private:
  std::vector<std::pair<std::string, Told>> asked_;
};

class PrequalSelectorTest : public ::testing::Test {
 protected:
  void Serve(int count) {
    selector_.Update(NumberedNodes(count));
    for (int i = 1; i <= count; ++i) nodes_->loads.try_emplace(std::to_string(i), 0);
  }
  std::string Select() {
    const auto pick = selector_.Select({});
    return pick ? pick->node().id : "";
  }
  // Calls that end at once, until every node has answered.
  void AskAll() {
    for (int i = 0; i < 400; ++i) {
      g_now += 1ms;
      Select();
      nodes_->Answer();
    }
  }

  std::shared_ptr<Nodes> nodes_ = std::make_shared<Nodes>();
  PrequalSelector selector_{{.prober = nodes_}, Now};
};

TEST_F(PrequalSelectorTest, ANodeThatOthersKeepBusyIsLeftAlone) {
  Serve(3);
  nodes_->loads = {{"1", 5}, {"2", 0}, {"3", 9}};
  AskAll();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Select(), "2");
}

TEST_F(PrequalSelectorTest, OwnCallsAreNotCountedTwice) {
  Serve(2);
  std::vector<Pick> picks;
  for (int i = 0; i < 4; ++i) picks.push_back(*selector_.Select({}));  // two each
  nodes_->loads = {{"1", 3}, {"2", 2}};                                // one of another client's
  AskAll();
  EXPECT_EQ(Select(), "2");
  picks.clear();
  EXPECT_EQ(Select(), "2");
}

TEST_F(PrequalSelectorTest, CallsSinceTheAnswerAreCountedIn) {
  Serve(2);
  nodes_->loads = {{"1", 2}, {"2", 0}};
  AskAll();
  std::vector<Pick> picks;
  for (int i = 0; i < 2; ++i) {
    picks.push_back(*selector_.Select({}));
    EXPECT_EQ(picks.back().node().id, "2");
  }
  std::set<std::string> next;
  for (int i = 0; i < 50; ++i) next.insert(Select());
  EXPECT_EQ(next.size(), 2U);  // equally busy now
}

TEST_F(PrequalSelectorTest, OldAnswersDoNotCount) {
  Serve(2);
  nodes_->loads = {{"1", 9}, {"2", 0}};
  AskAll();
  g_now += ProbePool::kAge + 1ms;
  std::set<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.insert(Select());  // nobody answers any more
  EXPECT_EQ(ids.size(), 2U);
}

TEST_F(PrequalSelectorTest, ANodeIsNotAskedAgainBeforeItAnswers) {
  Serve(2);
  for (int i = 0; i < 100; ++i) Select();
  EXPECT_EQ(nodes_->questions(), 2U);
  nodes_->Answer();
  for (int i = 0; i < 100; ++i) Select();
  EXPECT_EQ(nodes_->questions(), 2U);
  g_now += ProbePool::kAge;  // the answer is taken for lost
  for (int i = 0; i < 100; ++i) Select();
  EXPECT_EQ(nodes_->questions(), 4U);
}

TEST_F(PrequalSelectorTest, ThereIsABoundOnQuestions) {
  Serve(1000);
  for (int i = 0; i < 10'000; ++i) Select();
  EXPECT_LE(nodes_->questions(), ProbePool::kMost);
  const std::size_t before = nodes_->questions();
  for (int i = 0; i < 1000; ++i) {
    g_now += 10us;
    Select();
  }
  EXPECT_NEAR(static_cast<double>(nodes_->questions() - before), 100, 5);
}

TEST_F(PrequalSelectorTest, ASingleNodeIsNotAsked) {
  Serve(1);
  for (int i = 0; i < 10; ++i) Select();
  EXPECT_EQ(nodes_->questions(), 0U);
}

TEST_F(PrequalSelectorTest, ANodeThatDoesNotTellIsLeftInPeaceAndUsed) {
  Serve(3);
  nodes_->loads.erase("2");
  AskAll();
  std::set<std::string> picked;
  for (int i = 0; i < 500; ++i) {
    picked.insert(Select());
    EXPECT_FALSE(nodes_->asked().contains("2"));
    nodes_->Answer();
    g_now += 1ms;
  }
  EXPECT_EQ(picked.size(), 3U);
  g_now += ProbePool::kMute;
  for (int i = 0; i < 100; ++i) Select();
  EXPECT_TRUE(nodes_->asked().contains("2"));
}

TEST_F(PrequalSelectorTest, ANodeThatDoesNotTellGoesByOwnCalls) {
  Serve(3);
  nodes_->loads = {{"1", 5}, {"3", 5}};
  AskAll();
  std::vector<Pick> picks;
  std::map<std::string, int> counts;
  for (int i = 0; i < 30; ++i) {
    picks.push_back(*selector_.Select({}));
    ++counts[picks.back().node().id];
  }
  EXPECT_NEAR(counts["2"], 10, 4);
}

TEST_F(PrequalSelectorTest, TheAnswerOfANodeThatHasGoneIsDropped) {
  Serve(3);
  for (int i = 0; i < 100; ++i) Select();
  ASSERT_EQ(nodes_->questions(), 3U);
  selector_.Update(NumberedNodes(2));
  nodes_->Answer();
  for (int i = 0; i < 100; ++i) EXPECT_NE(Select(), "3");
}

TEST_F(PrequalSelectorTest, ANodeThatMovedIsCalledWhereItIs) {
  Serve(2);
  AskAll();
  std::vector<NodePtr> moved;
  for (const char* id : {"1", "2"}) {
    moved.push_back(
        std::make_shared<const Node>(Node{.id = id, .address = "127.0.0.2:1", .metadata = {}}));
  }
  selector_.Update(moved);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(selector_.Select({})->node().address, "127.0.0.2:1");
}

TEST_F(PrequalSelectorTest, ATriedNodeIsNotPickedHoweverIdleItIs) {
  Serve(3);
  nodes_->loads = {{"1", 5}, {"2", 0}, {"3", 9}};
  AskAll();
  const std::vector<std::string> tried = {"2"};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(selector_.Select({.tried = tried})->node().id, "1");
}

TEST_F(PrequalSelectorTest, AnIdleNodeThatFailsDoesNotWin) {
  Serve(2);
  nodes_->loads = {{"1", 1}, {"2", 0}};
  AskAll();
  {
    auto pick = selector_.Select({});
    ASSERT_EQ(pick->node().id, "2");
    pick->Report(Outcome::kRefused);
  }
  EXPECT_EQ(Select(), "1");
}

}  // namespace
}  // namespace micro
