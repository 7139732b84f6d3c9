#include "discovery/views.h"

#include <gtest/gtest.h>

namespace micro::discovery {
namespace {

using namespace std::chrono_literals;

// Says what it was given.
class Shown final : public Selector {
 public:
  void Update(std::span<const NodePtr> nodes) override {
    ids.clear();
    for (const NodePtr& node : nodes) ids += node->id;
  }
  Result<Pick> Select(const PickContext& /*context*/) override { return Unavailable("none"); }

  std::string ids;
};

class ViewsTest : public ::testing::Test {
 protected:
  // Nodes of one letter; capitals are in zone "z".
  void Know(const std::string& ids) {
    ServiceInfo service{.name = "s", .version = "1"};
    for (const char c : ids) {
      const std::string zone = c < 'a' ? "z" : "y";
      service.nodes.push_back({.id = {c}, .address = "a:1", .metadata = {{"zone", zone}}});
    }
    set_.Found({{service}}, now_);
    Update();
  }
  void Update() { views_->Update(set_.Usable(now_), ejections_, now_); }
  void Lose(const std::string& ids) {
    for (const char c : ids) ejections_.Report({c}, Outcome::kUnreachable, 9, now_);
    Update();
  }
  void Prefer(const std::string& zone) {
    views_ = std::make_unique<Views>([] { return std::make_unique<Shown>(); }, zone);
  }
  std::string Main() { return dynamic_cast<Shown&>(views_->main()).ids; }
  std::string Get(const NodeFilter& filter, bool any_zone = false) {
    return dynamic_cast<Shown&>(*views_->Get(filter, any_zone)).ids;
  }

  NodeSet set_;
  Ejections ejections_{[] { return 0.5; }};
  TimePoint now_ = TimePoint() + 1h;
  std::unique_ptr<Views> views_ =
      std::make_unique<Views>([] { return std::make_unique<Shown>(); }, "");
};

TEST_F(ViewsTest, NodesThatRestAreLeftOut) {
  Know("abc");
  Lose("b");
  EXPECT_EQ(Main(), "ac");
  now_ += 1s;
  Update();
  EXPECT_EQ(Main(), "abc");
}

TEST_F(ViewsTest, WhenAllRestAllAreThere) {
  Know("abc");
  Lose("abc");
  EXPECT_EQ(Main(), "abc");
}

TEST_F(ViewsTest, AFilterSeesItsNodesAndIsKeptUpToDate) {
  Know("aBC");
  const NodeFilter filter = {.labels = {{"zone", "z"}}};
  EXPECT_EQ(Get(filter), "BC");
  Lose("B");
  EXPECT_EQ(Get(filter), "C");
  EXPECT_EQ(Main(), "aC");
  EXPECT_EQ(Get({.version = "2"}), "");
}

TEST_F(ViewsTest, AFilterSeesNodesThatRestWhenThereAreNoOthers) {
  Know("aB");
  Lose("B");
  EXPECT_EQ(Get({.labels = {{"zone", "z"}}}), "B");
}

TEST_F(ViewsTest, OnlySoManyFiltersAreKept) {
  Know("a");
  const auto first = views_->Get({.version = "0"}, false);
  const auto kept = views_->Get({.version = "1"}, false);
  for (std::size_t i = 2; i <= Views::kMostFilters; ++i) {
    EXPECT_EQ(views_->Get({.version = "1"}, false), kept);
    views_->Get({.version = std::to_string(i)}, false);
  }
  EXPECT_EQ(views_->Get({.version = "1"}, false), kept);
  EXPECT_NE(views_->Get({.version = "0"}, false), first);
}

TEST_F(ViewsTest, NodesOfTheOwnZoneAreEnough) {
  Prefer("z");
  Know("abCD");
  EXPECT_EQ(Main(), "CD");
  EXPECT_EQ(Get({}, true), "abCD");
  Lose("C");
  EXPECT_EQ(Main(), "D");
}

TEST_F(ViewsTest, UnlessMostOfThemRest) {
  Prefer("z");
  Know("aBCD");
  Lose("BC");
  EXPECT_EQ(Main(), "aD");
}

TEST_F(ViewsTest, WithoutNodesInTheOwnZoneThereAreTheOthers) {
  Prefer("z");
  Know("ab");
  EXPECT_EQ(Main(), "ab");
}

}  // namespace
}  // namespace micro::discovery
