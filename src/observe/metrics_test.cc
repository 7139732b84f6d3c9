#include "micro/metrics.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/page.h"

namespace micro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MetricsTest, ThePageIsInPrometheussFormat) {
  Metrics metrics;
  metrics.GetCounter("orders_total", "Orders taken", {{"kind", "express"}}).Add(3);
  metrics.GetGauge("depth", "Of the lake").Set(2.5);
  auto& took = metrics.GetHistogram("took_seconds", "Time", {}, std::array{0.5, 1.0});
  took.Observe(0.25);
  took.Observe(0.5);
  took.Observe(4);
  EXPECT_EQ(metrics.Text(),
            "# HELP depth Of the lake\n"
            "# TYPE depth gauge\n"
            "depth 2.5\n"
            "# HELP orders_total Orders taken\n"
            "# TYPE orders_total counter\n"
            "orders_total{kind=\"express\"} 3\n"
            "# HELP took_seconds Time\n"
            "# TYPE took_seconds histogram\n"
            "took_seconds_bucket{le=\"0.5\"} 2\n"
            "took_seconds_bucket{le=\"1\"} 2\n"
            "took_seconds_bucket{le=\"+Inf\"} 3\n"
            "took_seconds_sum 4.75\n"
            "took_seconds_count 3\n");
}

TEST(MetricsTest, TheSameNameAndLabelsAreTheSameNumber) {
  Metrics metrics;
  Counter& one = metrics.GetCounter("n", "", {{"a", "1"}});
  EXPECT_EQ(&one, &metrics.GetCounter("n", "", {{"a", "1"}}));
  EXPECT_NE(&one, &metrics.GetCounter("n", "", {{"a", "2"}}));
}

TEST(MetricsTest, ANameBelongsToOneKind) {
  Metrics metrics;
  metrics.GetCounter("n", "A counter").Add();
  Gauge& gauge = metrics.GetGauge("n", "A gauge");
  gauge.Set(7);
  EXPECT_EQ(gauge.value(), 7);
  EXPECT_EQ(metrics.Text(), "# HELP n A counter\n# TYPE n counter\nn 1\n");
  metrics.Watch("g", "", {}, [] { return 3.0; });
  metrics.GetGauge("g", "").Set(4);
  EXPECT_THAT(metrics.Text(), HasSubstr("\ng 3\n"));
}

TEST(MetricsTest, NoTextBreaksThePage) {
  Metrics metrics;
  metrics.GetCounter("a-b c", "back\\slash\nline", {{"l\"x", "q\"b\\n\n"}}).Add();
  metrics.GetCounter("9", "");
  EXPECT_EQ(metrics.Text(),
            "# HELP _9 \n# TYPE _9 counter\n_9 0\n"
            "# HELP a_b_c back\\\\slash\\nline\n# TYPE a_b_c counter\n"
            "a_b_c{l_x=\"q\\\"b\\\\n\\n\"} 1\n");
}

TEST(MetricsTest, WatchedGaugesAreReadWhenThePageIsMade) {
  Metrics metrics;
  double value = 1;
  metrics.Watch("w", "", {}, [&value] { return value; });
  EXPECT_THAT(metrics.Text(), HasSubstr("\nw 1\n"));
  value = 0.1;
  EXPECT_THAT(metrics.Text(), HasSubstr("\nw 0.1\n"));
  metrics.AddText([](std::string& page) { page += "own 5\n"; });
  EXPECT_TRUE(metrics.Text().ends_with("own 5\n"));
}

TEST(MetricsTest, NumbersAreWrittenAsTheyAreRead) {
  EXPECT_EQ(observe::NumberText(0), "0");
  EXPECT_EQ(observe::NumberText(1e-4), "0.0001");
  EXPECT_EQ(observe::NumberText(-2.5), "-2.5");
  EXPECT_EQ(observe::NumberText(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(observe::NumberText(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(MetricsTest, ManyThreadsLoseNothing) {
  constexpr int kThreads = 20;  // more than there are places
  constexpr int kEach = 5000;
  Metrics metrics;
  Counter& counter = metrics.GetCounter("c", "");
  Gauge& gauge = metrics.GetGauge("g", "");
  Histogram& histogram = metrics.GetHistogram("h", "", {}, std::array{1.0});
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        counter.Add();
        gauge.Add(1);
        histogram.Observe(i % 2 == 0 ? 0.5 : 2);
      }
    });
  }
  EXPECT_THAT(metrics.Text(), HasSubstr("# TYPE c counter\n"));  // meanwhile
  threads.clear();
  EXPECT_EQ(counter.value(), kThreads * kEach);
  EXPECT_EQ(gauge.value(), kThreads * kEach);
  EXPECT_THAT(histogram.counts(), ElementsAre(kThreads * kEach / 2, kThreads * kEach / 2));
  EXPECT_EQ(histogram.sum(), kThreads * kEach * 1.25);
}

}  // namespace
}  // namespace micro
