#include "client/retry_budget.h"

#include <gtest/gtest.h>

namespace micro::client {
namespace {

using namespace std::chrono_literals;

class RetryBudgetTest : public ::testing::Test {
 protected:
  void Call(int times) {
    for (int i = 0; i < times; ++i) budget_.Add();
  }
  int TakeAll() {
    int taken = 0;
    while (budget_.Take(now_)) ++taken;
    return taken;
  }

  TimePoint now_ = TimePoint() + 1h;
  RetryBudget budget_{now_};
};

TEST_F(RetryBudgetTest, AFewAreThereFromTheFirstCallOn) { EXPECT_EQ(TakeAll(), 100); }

TEST_F(RetryBudgetTest, TenComeEachSecond) {
  TakeAll();
  now_ += 1s;
  EXPECT_NEAR(TakeAll(), 10, 1);
}

TEST_F(RetryBudgetTest, AFifthOfTheCallsIsAdded) {
  TakeAll();
  Call(1000);
  now_ += 1s;
  EXPECT_NEAR(TakeAll(), 210, 15);
}

TEST_F(RetryBudgetTest, OnlyTheLastCallsCount) {
  Call(3'600'000);  // 1000 a second
  now_ += 1h;
  EXPECT_NEAR(TakeAll(), 2100, 20);
  now_ += 1h;
  EXPECT_NEAR(TakeAll(), 100, 1);
}

TEST_F(RetryBudgetTest, AFloodOfFailuresIsRepeatedInPartOnly) {
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    Call(1);
    now_ += 1ms;
    taken += budget_.Take(now_) ? 1 : 0;
  }
  EXPECT_NEAR(taken, 2200, 60);  // 100 at first, 10 a second, a fifth of the calls
}

}  // namespace
}  // namespace micro::client
