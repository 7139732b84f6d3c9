#include "registry/watchers.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro {
namespace {

using namespace std::chrono_literals;

Change Created(std::string name) { return {Change::Kind::kCreate, {.name = std::move(name)}}; }

TEST(WatchersTest, TellsEachWatchItsServiceInOrder) {
  Watchers watchers;
  std::vector<std::string> told;
  std::vector<std::string> all;
  std::promise<void> done;
  const auto one = watchers.Add("a", [&](const Change& c) { told.push_back(c.service.version); });
  const auto every = watchers.Add("", [&](const Change& c) {
    all.push_back(c.service.name);
    if (c.service.name == "end") done.set_value();
  });
  for (const char* version : {"1", "2"}) {
    watchers.Tell({Change::Kind::kCreate, {.name = "a", .version = version}});
    watchers.Tell(Created("b"));
  }
  watchers.Tell(Created("end"));
  ASSERT_EQ(done.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_THAT(told, testing::ElementsAre("1", "2"));
  EXPECT_THAT(all, testing::ElementsAre("a", "b", "a", "b", "end"));
}

TEST(WatchersTest, NothingIsToldAfterAWatchHasEnded) {
  Watchers watchers;
  std::promise<void> entered;
  std::promise<void> leave;
  std::atomic<int> calls = 0;
  Subscription watch = watchers.Add("", [&](const Change&) {
    if (++calls == 1) entered.set_value();
    leave.get_future().wait();
  });
  watchers.Tell(Created("a"));
  watchers.Tell(Created("b"));
  entered.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { watch.Stop(); });
  EXPECT_EQ(stopped.wait_for(20ms), std::future_status::timeout);
  leave.set_value();
  ASSERT_EQ(stopped.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(watchers.empty());
}

TEST(WatchersTest, AWatchMayOutliveItsRegistry) {
  Subscription watch;
  {
    Watchers watchers;
    watch = watchers.Add("a", [](const Change&) {});
    EXPECT_THAT(watchers.services(), testing::ElementsAre("a"));
  }
  watch.Stop();
}

TEST(WatchersTest, DropsWhatComesTooFast) {
  Watchers watchers;
  std::promise<void> leave;
  auto left = leave.get_future().share();
  const auto watch = watchers.Add("", [left](const Change&) { left.wait(); });
  bool kept = true;
  for (std::size_t i = 0; i < Watchers::kMaxWaiting + 2; ++i) kept = watchers.Tell(Created("a"));
  EXPECT_FALSE(kept);
  leave.set_value();
}

TEST(WatchersTest, ThreadsMayComeAndGoWhileChangesAreTold) {
  Watchers watchers;
  std::atomic<bool> stop = false;
  std::thread teller([&] {
    while (!stop) watchers.Tell(Created("a"));
  });
  std::vector<std::thread> threads;
  std::atomic<int> told = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        std::promise<void> first;
        std::atomic<bool> set = false;
        const auto watch = watchers.Add("a", [&](const Change&) {
          if (!set.exchange(true)) first.set_value();
        });
        EXPECT_EQ(first.get_future().wait_for(10s), std::future_status::ready);
        ++told;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  teller.join();
  EXPECT_EQ(told, 80);
}

}  // namespace
}  // namespace micro
