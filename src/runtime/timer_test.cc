#include "runtime/timer.h"

#include <gtest/gtest.h>

#include "micro/runtime.h"

#include "runtime/loop.h"

namespace micro::runtime {
namespace {

using namespace std::chrono_literals;

struct Mark final : Timer {
  Mark(std::string& written, char sign) : text(written), mark(sign) {}
  void Fire() override { text += mark; }

  std::string& text;
  char mark;
};

void FireDue(TimerQueue& queue, TimePoint now) {
  while (Timer* timer = queue.TakeDue(now)) timer->Fire();
}

class TimerQueueTest : public ::testing::Test {
 protected:
  const TimePoint start_ = std::chrono::steady_clock::now();
  std::string text_;
  Mark a_{text_, 'a'};
  Mark b_{text_, 'b'};
  Mark c_{text_, 'c'};
  TimerQueue queue_;
};

TEST_F(TimerQueueTest, TimersFireByTime) {
  queue_.Add(c_, start_ + 3s);
  queue_.Add(a_, start_ + 1s);
  queue_.Add(b_, start_ + 2s);
  EXPECT_EQ(queue_.earliest(), start_ + 1s);
  FireDue(queue_, start_ + 1h);
  EXPECT_EQ(text_, "abc");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(TimerQueueTest, TimersOfOneTimeFireAsTheyWereAdded) {
  queue_.Add(b_, start_);
  queue_.Add(a_, start_);
  queue_.Add(c_, start_);
  FireDue(queue_, start_);
  EXPECT_EQ(text_, "bac");
}

TEST_F(TimerQueueTest, NoneFiresEarly) {
  queue_.Add(a_, start_ + 1ns);
  FireDue(queue_, start_);
  EXPECT_EQ(text_, "");
  EXPECT_TRUE(a_.armed());
}

TEST_F(TimerQueueTest, ACancelledTimerDoesNotFire) {
  queue_.Add(a_, start_);
  queue_.Add(b_, start_);
  a_.Cancel();
  a_.Cancel();
  EXPECT_FALSE(a_.armed());
  FireDue(queue_, start_);
  EXPECT_EQ(text_, "b");
}

TEST_F(TimerQueueTest, AddingAgainMovesATimer) {
  queue_.Add(a_, start_ + 1s);
  queue_.Add(b_, start_ + 2s);
  queue_.Add(a_, start_ + 3s);
  FireDue(queue_, start_ + 1h);
  EXPECT_EQ(text_, "ba");
}

TEST_F(TimerQueueTest, ATimerThatIsGoneIsForgotten) {
  {
    Mark brief(text_, 'x');
    queue_.Add(brief, start_);
  }
  EXPECT_TRUE(queue_.empty());
}

TEST(LoopTimerTest, AnEarlierTimerThatComesLaterFiresFirst) {
  Runtime runtime({.loops = 1});
  std::string text;
  internal::Parker done;
  struct Last final : Timer {
    explicit Last(internal::Parker& parker) : done(parker) {}
    void Fire() override { done.Signal(); }
    internal::Parker& done;
  } last(done);
  Mark early(text, 'e');
  Mark never(text, 'n');
  runtime.loop(0).Post([&] {
    Loop& loop = Loop::Of(*EventLoop::Current());
    const TimePoint now = std::chrono::steady_clock::now();
    loop.Add(never, now + 1h);
    loop.Add(last, now + 10ms);
    loop.Add(early, now + 1ms);
    loop.Add(early, now - 1s);  // the past is due at once
  });
  done.Wait();
  internal::Parker cancelled;
  runtime.loop(0).Post([&] {
    never.Cancel();
    cancelled.Signal();
  });
  cancelled.Wait();
  EXPECT_EQ(text, "e");
}

}  // namespace
}  // namespace micro::runtime
