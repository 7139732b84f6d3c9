#include "runtime/worker_pool.h"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

namespace micro::runtime {
namespace {

TEST(WorkerPoolTest, RunsWhatIsSubmitted) {
  WorkerPool pool(4, 100);
  std::latch done(50);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.Submit([&] { done.count_down(); }));
  done.wait();
}

TEST(WorkerPoolTest, GrowsToItsLimitWhenWorkBlocks) {
  WorkerPool pool(8, 100);
  std::latch all_run_at_once(8);
  std::latch done(8);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(pool.Submit([&] {
      all_run_at_once.arrive_and_wait();  // passes only with eight threads
      done.count_down();
    }));
  }
  done.wait();
  EXPECT_EQ(pool.threads(), 8U);
}

TEST(WorkerPoolTest, RefusesWhatTheQueueCannotHold) {
  std::latch release(1);
  std::latch begun(1);
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.Submit([&] {
    begun.count_down();
    release.wait();
  }));
  begun.wait();
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_FALSE(pool.Submit([] {}));
  EXPECT_EQ(pool.queued(), 2U);
  release.count_down();
}

}  // namespace
}  // namespace micro::runtime
