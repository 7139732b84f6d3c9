#include "observe/call_stats.h"

#include <cmath>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::observe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CallStatsTest, CallsAreCountedFromBeginToEnd) {
  CallStats stats;
  for (int i = 0; i < 3; ++i) stats.Started();
  stats.Received();
  stats.Sent();
  stats.Ended(Code::kOk, std::chrono::microseconds(100));
  stats.Ended(Code::kUnauthenticated, std::chrono::seconds(60));
  const CallTotals totals = stats.Read();
  EXPECT_EQ(totals.started, 3);
  EXPECT_EQ(totals.in_flight(), 1);
  EXPECT_EQ(totals.received, 1);
  EXPECT_EQ(totals.sent, 1);
  EXPECT_EQ(totals.errors(), 1);
  EXPECT_EQ(totals.ended[0], 1);
  EXPECT_EQ(totals.ended[16], 1);
  EXPECT_EQ(totals.latencies.front(), 1);  // a bound belongs to its range
  EXPECT_EQ(totals.latencies.back(), 1);
  EXPECT_EQ(totals.nanoseconds, 60'000'100'000);
}

TEST(CallStatsTest, EachBoundBelongsToItsRange) {
  for (std::size_t i = 0; i < Histogram::Seconds().size(); ++i) {
    CallStats stats;
    const auto bound = static_cast<Duration::rep>(std::llround(Histogram::Seconds()[i] * 1e9));
    stats.Ended(Code::kOk, Duration(bound));
    stats.Ended(Code::kOk, Duration(bound + 1));
    EXPECT_EQ(stats.Read().latencies[i], 1) << i;
    EXPECT_EQ(stats.Read().latencies[i + 1], 1) << i;
  }
}

TEST(CallStatsTest, ThePageShowsThemByCode) {
  CallStats stats;
  stats.Started();
  stats.Ended(Code::kNotFound, std::chrono::milliseconds(2));
  const std::vector<LabelledTotals> calls = {{"method=\"/a.B/C\"", stats.Read()}};
  std::string page;
  WriteCalls(page, "server", calls);
  EXPECT_THAT(page, HasSubstr("\nmicro_server_started_total{method=\"/a.B/C\"} 1\n"));
  EXPECT_THAT(page,
              HasSubstr("\nmicro_server_handled_total{method=\"/a.B/C\",code=\"NOT_FOUND\"} 1\n"));
  EXPECT_THAT(page, Not(HasSubstr("code=\"OK\"")));
  EXPECT_THAT(page, HasSubstr("_latency_seconds_bucket{method=\"/a.B/C\",le=\"0.001\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("_latency_seconds_bucket{method=\"/a.B/C\",le=\"0.0025\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("_latency_seconds_sum{method=\"/a.B/C\"} 0.002\n"));
}

TEST(CallStatsTest, ThreadsLoseNothing) {
  CallStats stats;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&stats] {
      for (int i = 0; i < 10'000; ++i) {
        stats.Started();
        stats.Ended(Code::kOk, Duration(1));
      }
    });
  }
  EXPECT_LE(stats.Read().in_flight(), 40'000);
  threads.clear();
  EXPECT_EQ(stats.Read().started, 40'000);
  EXPECT_EQ(stats.Read().in_flight(), 0);
}

}  // namespace
}  // namespace micro::observe
