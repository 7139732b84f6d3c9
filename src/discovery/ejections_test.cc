#include "discovery/ejections.h"

#include <gtest/gtest.h>

namespace micro::discovery {
namespace {

using namespace std::chrono_literals;

class EjectionsTest : public ::testing::Test {
 protected:
  bool Report(const std::string& id, Outcome outcome, int times = 1) {
    bool changed = false;
    for (int i = 0; i < times; ++i) changed |= ejections_.Report(id, outcome, 4, now_);
    return changed;
  }
  bool Rests(const std::string& id) const { return ejections_.Rests(id, now_); }

  Ejections ejections_{[] { return 0.5; }};  // no jitter
  TimePoint now_ = TimePoint() + 1h;
};

TEST_F(EjectionsTest, ANodeThatCannotBeReachedRestsAtOnce) {
  EXPECT_TRUE(Report("a", Outcome::kUnreachable));
  EXPECT_TRUE(Rests("a"));
  EXPECT_FALSE(Rests("b"));
  EXPECT_EQ(ejections_.Until("a"), now_ + 100ms);
  now_ += 100ms;
  EXPECT_FALSE(Rests("a"));
}

TEST_F(EjectionsTest, CallsThatFailTogetherCountOnce) {
  EXPECT_TRUE(Report("a", Outcome::kUnreachable));
  EXPECT_FALSE(Report("a", Outcome::kUnreachable, 10));
  EXPECT_EQ(ejections_.Until("a"), now_ + 100ms);
}

TEST_F(EjectionsTest, EachRestIsTwiceAsLongUpToALimit) {
  std::vector<Duration> rests;
  for (int i = 0; i < 9; ++i) {
    Report("a", Outcome::kUnreachable);
    rests.push_back(ejections_.Until("a") - now_);
    now_ += rests.back();
  }
  EXPECT_EQ(rests[1], 200ms);
  EXPECT_EQ(rests[2], 400ms);
  EXPECT_EQ(rests[8], 10s);
}

TEST_F(EjectionsTest, RestsVary) {
  double chance = 0;
  Ejections ejections([&] { return chance; });
  ejections.Report("a", Outcome::kUnreachable, 4, now_);
  EXPECT_EQ(ejections.Until("a"), now_ + 75ms);
  chance = 1;
  ejections.Forget("a");
  ejections.Report("a", Outcome::kUnreachable, 4, now_);
  EXPECT_EQ(ejections.Until("a"), now_ + 125ms);
}

TEST_F(EjectionsTest, AnAnswerEndsARestAndItsHistory) {
  Report("a", Outcome::kUnreachable);
  EXPECT_TRUE(Report("a", Outcome::kAnswered));
  EXPECT_FALSE(Rests("a"));
  EXPECT_TRUE(ejections_.empty());
  Report("a", Outcome::kUnreachable);
  EXPECT_EQ(ejections_.Until("a"), now_ + 100ms);
}

TEST_F(EjectionsTest, TimeoutsInARowAreNeeded) {
  EXPECT_FALSE(Report("a", Outcome::kTimedOut, 4));
  Report("a", Outcome::kAnswered);
  EXPECT_FALSE(Report("a", Outcome::kTimedOut, 4));
  EXPECT_TRUE(Report("a", Outcome::kRefused));
  EXPECT_TRUE(Rests("a"));
}

TEST_F(EjectionsTest, WhoeverLostInterestSaysNothing) {
  Report("a", Outcome::kTimedOut, 4);
  EXPECT_FALSE(Report("a", Outcome::kAbandoned));
  EXPECT_TRUE(Report("a", Outcome::kTimedOut));
}

TEST_F(EjectionsTest, NoMoreThanHalfRestForBeingSlow) {
  for (const char* id : {"a", "b", "c", "d"}) Report(id, Outcome::kTimedOut, 20);
  EXPECT_TRUE(Rests("a"));
  EXPECT_TRUE(Rests("b"));
  EXPECT_FALSE(Rests("c"));
  EXPECT_FALSE(Rests("d"));
}

TEST_F(EjectionsTest, ANodeThatIsAloneDoesNotRestForBeingSlow) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(ejections_.Report("a", Outcome::kTimedOut, 1, now_));
  }
}

TEST_F(EjectionsTest, AllMayRestThatCannotBeReached) {
  for (const char* id : {"a", "b", "c", "d"}) EXPECT_TRUE(Report(id, Outcome::kUnreachable));
}

// --- trials
// ---------------------------------------------------------------------------------------

class TrialTest : public EjectionsTest {
 protected:
  TrialTest() {
    Report("a", Outcome::kTimedOut, Ejections::kMostFailures);
    now_ = ejections_.Until("a");
  }
  bool Try() { return ejections_.Try("a", now_); }
};

TEST_F(TrialTest, ANodeThatHasRestedGetsOneCallAtATime) {
  EXPECT_TRUE(Try());
  EXPECT_FALSE(Try());
  Report("a", Outcome::kAbandoned);
  EXPECT_TRUE(Try());
  EXPECT_FALSE(Try());
}

TEST_F(TrialTest, AnAnswerEndsTheTrial) {
  EXPECT_TRUE(Try());
  Report("a", Outcome::kAnswered);
  EXPECT_TRUE(Try());
  EXPECT_TRUE(Try());
}

TEST_F(TrialTest, OneFailureOnTrialIsEnough) {
  EXPECT_TRUE(Try());
  EXPECT_TRUE(Report("a", Outcome::kTimedOut));
  EXPECT_EQ(ejections_.Until("a"), now_ + 4s);  // twice as long
  now_ = ejections_.Until("a");
  EXPECT_TRUE(Try());
}

TEST_F(TrialTest, ACallThatLastsKeepsNobodyWaiting) {
  EXPECT_TRUE(Try());
  now_ += 1s;
  EXPECT_TRUE(Try());
}

TEST_F(TrialTest, NodesThatDoNotRestNeedNoTrial) {
  Report("b", Outcome::kTimedOut);
  for (const char* id : {"b", "c"}) {
    EXPECT_TRUE(ejections_.Try(id, now_)) << id;
    EXPECT_TRUE(ejections_.Try(id, now_)) << id;
  }
}

TEST_F(TrialTest, ANodeThatRestsAndIsUsedAllTheSameIsNotOnTrial) {
  Report("b", Outcome::kUnreachable);
  EXPECT_TRUE(ejections_.Try("b", now_));
  EXPECT_TRUE(ejections_.Try("b", now_));
}

}  // namespace
}  // namespace micro::discovery
