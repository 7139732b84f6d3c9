#include "registry/bad_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class LineKeeper final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

TEST(BadRecordsTest, CountsAllAndLogsOneInAWhile) {
  Metrics metrics;
  const auto logger = std::make_shared<LineKeeper>();
  BadRecords bad("test", logger, &metrics);
  const TimePoint start = std::chrono::steady_clock::now();
  bad.NoteAt("one", start);
  bad.NoteAt("two", start);
  bad.NoteAt("three", start + BadRecords::kPause / 2);
  bad.NoteAt("four", start + BadRecords::kPause);
  EXPECT_THAT(logger->lines, ElementsAre("registry test passes over a bad record: one",
                                         "registry test passes over a bad record: four (2 more "
                                         "since the last such line)"));
  EXPECT_THAT(metrics.Text(), HasSubstr("micro_registry_bad_records_total{registry=\"test\"} 4\n"));
}

TEST(BadRecordsTest, WhatIsLoggedIsOneShortLine) {
  const auto logger = std::make_shared<LineKeeper>();
  BadRecords bad("test", logger, nullptr);
  bad.Note("a\nb\x1b[31m" + std::string(10'000, 'x'));
  ASSERT_EQ(logger->lines.size(), 1U);
  EXPECT_THAT(logger->lines[0], HasSubstr("a?b?[31mxxx"));
  EXPECT_THAT(logger->lines[0], Not(HasSubstr("\n")));
  EXPECT_LT(logger->lines[0].size(), 500U);
}

TEST(BadRecordsTest, NeedsNeitherLoggerNorMetrics) {
  BadRecords bad("test", nullptr, nullptr);
  bad.Note("x");
}

}  // namespace
}  // namespace micro
