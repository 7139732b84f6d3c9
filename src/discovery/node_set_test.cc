#include "discovery/node_set.h"

#include <gtest/gtest.h>

namespace micro::discovery {
namespace {

using namespace std::chrono_literals;

ServiceInfo Service(const std::string& version, const std::vector<std::string>& ids) {
  ServiceInfo service{.name = "s", .version = version};
  for (const std::string& id : ids) service.nodes.push_back({.id = id, .address = id + ":1"});
  return service;
}

class NodeSetTest : public ::testing::Test {
 protected:
  std::string Ids() const {
    std::string ids;
    for (const auto* known : set_.Usable(now_)) ids += known->node->id;
    return ids;
  }
  void Find(const std::vector<std::string>& ids) { set_.Found({{Service("1", ids)}}, now_); }
  void Change(Change::Kind kind, const std::vector<std::string>& ids) {
    set_.Changed({kind, Service("1", ids)}, now_);
  }
  void Go(const std::vector<std::string>& ids) { Change(Change::Kind::kDelete, ids); }

  NodeSet set_;
  TimePoint now_ = TimePoint() + 1h;
};

TEST_F(NodeSetTest, VersionsAreMerged) {
  set_.Found({{Service("1", {"a", "b"}), Service("2", {"b", "c"})}}, now_);
  EXPECT_EQ(Ids(), "abc");
  EXPECT_EQ(set_.Usable(now_)[1]->service->version, "2");
}

TEST_F(NodeSetTest, ANodeThatStaysIsTheSameObject) {
  Find({"a"});
  const NodePtr node = set_.Usable(now_)[0]->node;
  Find({"a", "b"});
  EXPECT_EQ(set_.Usable(now_)[0]->node, node);
}

TEST_F(NodeSetTest, ANodeThatOneAnswerLacksStays) {
  Find({"a", "b"});
  Find({"a"});
  EXPECT_EQ(Ids(), "ab");
  Find({"a"});
  EXPECT_EQ(Ids(), "a");
}

TEST_F(NodeSetTest, ANodeThatIsNamedAgainHasMissedNothing) {
  Find({"a", "b"});
  Find({"a"});
  Find({"a", "b"});
  Find({"a"});
  EXPECT_EQ(Ids(), "ab");
}

TEST_F(NodeSetTest, AnAnswerWithoutNodesIsNotBelievedAtOnce) {
  Find({"a", "b"});
  set_.FoundNothing(now_);
  EXPECT_EQ(Ids(), "ab");
  EXPECT_TRUE(set_.vouched());
  now_ += NodeSet::kDoubted + 1s;
  set_.FoundNothing(now_);
  EXPECT_EQ(Ids(), "");
}

TEST_F(NodeSetTest, DoubtEndsWithTheNextNode) {
  Find({"a"});
  set_.FoundNothing(now_);
  now_ += NodeSet::kDoubted;
  Find({"a"});
  now_ += 1s;
  set_.FoundNothing(now_);
  EXPECT_EQ(Ids(), "a");
}

TEST_F(NodeSetTest, WhatTheWatchSawGoIsUsedOnlyIfThereIsNoOther) {
  Find({"a", "b"});
  Go({"a"});
  EXPECT_EQ(Ids(), "b");
  Go({"b"});
  EXPECT_EQ(Ids(), "ab");
  EXPECT_FALSE(set_.vouched());
  Change(Change::Kind::kCreate, {"c"});
  EXPECT_EQ(Ids(), "c");
}

TEST_F(NodeSetTest, WhatWentIsForgottenInTime) {
  Find({"a"});
  Go({"a"});
  now_ += NodeSet::kKept + 1s;
  EXPECT_EQ(Ids(), "");
}

TEST_F(NodeSetTest, ANodeThatIsVouchedForOutlivesALostConnection) {
  Find({"a"});
  EXPECT_FALSE(set_.Unreachable("a"));
  EXPECT_EQ(Ids(), "a");
}

TEST_F(NodeSetTest, ANodeInDoubtDoesNot) {
  Find({"a", "b", "c"});
  Go({"a"});
  EXPECT_TRUE(set_.Unreachable("a"));
  Find({"b"});
  EXPECT_TRUE(set_.Unreachable("c"));
  set_.FoundNothing(now_);
  EXPECT_TRUE(set_.Unreachable("b"));
  EXPECT_EQ(set_.size(), 0U);
  EXPECT_FALSE(set_.Unreachable("b"));
}

TEST_F(NodeSetTest, FiltersGoByVersionLabelAndEndpoint) {
  ServiceInfo service{.name = "s", .version = "2", .endpoints = {{.name = "Greeter.Hello"}}};
  service.nodes = {{.id = "a", .address = "a:1", .metadata = {{"tier", "canary"}}}};
  set_.Found({{service}}, now_);
  const NodeSet::Known& known = *set_.Usable(now_)[0];
  EXPECT_TRUE(Passes(known, {}));
  EXPECT_TRUE(
      Passes(known, {.version = "2", .labels = {{"tier", "canary"}}, .endpoint = "Greeter.Hello"}));
  EXPECT_FALSE(Passes(known, {.version = "1"}));
  EXPECT_FALSE(Passes(known, {.labels = {{"tier", "stable"}}}));
  EXPECT_FALSE(Passes(known, {.labels = {{"disk", "ssd"}}}));
  EXPECT_FALSE(Passes(known, {.endpoint = "Greeter.Bye"}));
}

}  // namespace
}  // namespace micro::discovery
