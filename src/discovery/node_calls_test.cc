#include "discovery/node_calls.h"

#include <vector>

#include <gtest/gtest.h>

namespace micro::discovery {
namespace {

class NodeCallsTest : public ::testing::Test {
 protected:
  std::shared_ptr<NodeCalls> calls_ = std::make_shared<NodeCalls>(2);
};

TEST_F(NodeCallsTest, ThereIsRoomForSoManyAndNoMore) {
  const auto first = calls_->Enter("a");
  const auto second = calls_->Enter("a");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(calls_->Enter("a"));
  EXPECT_TRUE(calls_->Enter("b"));
  EXPECT_EQ(calls_->At("a"), 2U);
  EXPECT_EQ(calls_->At("b"), 0U);
}

TEST_F(NodeCallsTest, APlaceIsGivenBackOnceHoweverItIsMoved) {
  {
    auto place = *calls_->Enter("a");
    NodeCalls::Place moved = std::move(place);
    NodeCalls::Place assigned;
    assigned = std::move(moved);
    EXPECT_EQ(calls_->At("a"), 1U);
    assigned = *calls_->Enter("b");
    EXPECT_EQ(calls_->At("a"), 0U);
    EXPECT_EQ(calls_->At("b"), 1U);
  }
  EXPECT_EQ(calls_->At("b"), 0U);
}

}  // namespace
}  // namespace micro::discovery
