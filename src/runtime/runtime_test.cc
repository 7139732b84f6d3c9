#include "micro/runtime.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

namespace micro {
namespace {

using namespace std::chrono_literals;

Task<int> Answer() { co_return 42; }
Task<int> Throws() {
  throw std::runtime_error("broken");
  co_return 0;
}
Task<Result<int>> Fails404() { co_return NotFound("nothing"); }

TEST(RuntimeTest, AwaitGivesTheTasksValue) {
  Runtime runtime({.loops = 1});
  EXPECT_EQ(Await(runtime.loop(0), Answer()).value(), 42);
}

TEST(RuntimeTest, AwaitFlattensResults) {
  Runtime runtime({.loops = 1});
  EXPECT_EQ(Await(runtime.loop(0), Fails404()).error().code(), Code::kNotFound);
}

TEST(RuntimeTest, AwaitTurnsExceptionsIntoInternal) {
  Runtime runtime({.loops = 1});
  const auto result = Await(runtime.loop(0), Throws());
  EXPECT_EQ(result.error().code(), Code::kInternal);
  EXPECT_EQ(result.error().detail(), "broken");
}

Task<Code> AwaitOnTheLoop(Runtime& runtime) {
  co_return Await(runtime.loop(0), Answer()).error().code();
}

TEST(RuntimeTest, AwaitRefusesToRunOnALoop) {
  Runtime runtime({.loops = 1});
  EXPECT_EQ(Await(runtime.loop(0), AwaitOnTheLoop(runtime)).value(), Code::kFailedPrecondition);
}

Task<bool> SleepsAtLeast(Duration delay) {
  const auto before = std::chrono::steady_clock::now();
  co_await Sleep(delay);
  co_return std::chrono::steady_clock::now() - before >= delay;
}

TEST(RuntimeTest, SleepIsNeverEarly) {
  Runtime runtime({.loops = 1});
  EXPECT_TRUE(Await(runtime.loop(0), SleepsAtLeast(5ms)).value());
}

struct Hop {
  bool worked_off_loop = false;
  bool back_on_loop = false;
};

Task<Hop> WorkElsewhere(Runtime& runtime) {
  Hop hop;
  EventLoop* const loop = EventLoop::Current();
  const Status status =
      co_await Offload(runtime, [&] { hop.worked_off_loop = EventLoop::Current() == nullptr; });
  hop.back_on_loop = status && EventLoop::Current() == loop;
  co_return hop;
}

TEST(RuntimeTest, OffloadWorksOnAWorkerAndComesBack) {
  Runtime runtime({.loops = 2});
  const Hop hop = Await(runtime.loop(1), WorkElsewhere(runtime)).value();
  EXPECT_TRUE(hop.worked_off_loop);
  EXPECT_TRUE(hop.back_on_loop);
}

TEST(RuntimeTest, TimersFireInOrder) {
  Runtime runtime({.loops = 1});
  std::vector<int> order;
  internal::Parker parker;
  runtime.loop(0).PostAfter(20ms, [&] {
    order.push_back(2);
    parker.Signal();
  });
  runtime.loop(0).PostAfter(5ms, [&] { order.push_back(1); });
  parker.Wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(RuntimeTest, PostsFromManyThreadsAllRun) {
  Runtime runtime({.loops = 2});
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) runtime.NextLoop().Post([&] { ++count; });
    });
  }
  for (auto& thread : threads) thread.join();
  (void)Await(runtime.loop(0), Answer());
  (void)Await(runtime.loop(1), Answer());
  EXPECT_EQ(count, 4000);
}

}  // namespace
}  // namespace micro
