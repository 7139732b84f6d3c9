#include "micro/context.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/call_context.h"

namespace micro {
namespace {

using namespace std::chrono_literals;

TEST(ContextTest, WithoutADeadlineTimeIsUnlimited) {
  const CallContext context;
  EXPECT_EQ(context.remaining(), Duration::max());
}

TEST(ContextTest, WhatRemainsIsNeverNegative) {
  CallContext context;
  context.deadline_ = std::chrono::steady_clock::now() - 1h;
  EXPECT_EQ(context.remaining(), Duration::zero());
  context.deadline_ = std::chrono::steady_clock::now() + 1h;
  EXPECT_GT(context.remaining(), 59min);
  EXPECT_LE(context.remaining(), 1h);
}

TEST(ContextTest, CancellationIsToldAsItHappens) {
  CallContext context;
  bool told = false;
  const std::stop_token token = context.stop_token();
  const std::stop_callback callback(token, [&] { told = true; });
  EXPECT_FALSE(context.cancelled());
  context.Cancel();
  EXPECT_TRUE(told);
  EXPECT_TRUE(context.cancelled());
  EXPECT_TRUE(token.stop_requested());
}

TEST(ContextTest, WhoAsksAfterwardsIsToldAtOnce) {
  CallContext context;
  context.Cancel();
  EXPECT_TRUE(context.stop_token().stop_requested());
}

TEST(ContextTest, CancellingTwiceIsCancellingOnce) {
  CallContext context;
  int told = 0;
  const std::stop_callback callback(context.stop_token(), [&] { ++told; });
  context.Cancel();
  context.Cancel();
  EXPECT_EQ(told, 1);
}

TEST(ContextTest, AResetContextIsLikeNew) {
  CallContext context;
  const std::stop_token before = context.stop_token();
  context.path_ = "/a/b";
  context.metadata_.Add("a", "b");
  context.deadline_ = TimePoint::min();
  context.Cancel();
  context.Reset();
  EXPECT_FALSE(context.cancelled());
  EXPECT_FALSE(context.stop_token().stop_requested());
  EXPECT_EQ(context.path(), "");
  EXPECT_TRUE(context.metadata().empty());
  EXPECT_FALSE(context.deadline());
  EXPECT_TRUE(before.stop_requested());
}

TEST(ContextTest, CancellationMayComeFromAnyThread) {
  for (int round = 0; round < 100; ++round) {
    CallContext context;
    std::thread canceller([&] { context.Cancel(); });
    const std::stop_token token = context.stop_token();
    canceller.join();
    EXPECT_TRUE(token.stop_requested());
  }
}

}  // namespace
}  // namespace micro
