#include "micro/duration.h"

#include <gtest/gtest.h>

namespace micro {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, ReadsWhatGoWrites) {
  EXPECT_EQ(ParseDuration("500ms"), 500ms);
  EXPECT_EQ(ParseDuration("5s"), 5s);
  EXPECT_EQ(ParseDuration("1m30s"), 90s);
  EXPECT_EQ(ParseDuration("1.5h"), 90min);
  EXPECT_EQ(ParseDuration("-2us"), -2us);
  EXPECT_EQ(ParseDuration("+.5s"), 500ms);
  EXPECT_EQ(ParseDuration("7µs"), 7us);
  EXPECT_EQ(ParseDuration("0"), 0s);
}

TEST(DurationTest, RejectsWhatGoRejects) {
  for (const char* text :
       {"", "5", "s", ".s", "1x", "5 s", "--1s", "1s2", "3000000h", "9999999999999999999ns"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(DurationTest, WritesWhatGoReads) {
  EXPECT_EQ(FormatDuration(0s), "0s");
  EXPECT_EQ(FormatDuration(90s), "1m30s");
  EXPECT_EQ(FormatDuration(250ms), "250ms");
  EXPECT_EQ(FormatDuration(1500us), "1.5ms");
  EXPECT_EQ(FormatDuration(-2h), "-2h0m0s");
  EXPECT_EQ(FormatDuration(3661s + 5ms), "1h1m1.005s");
  for (const Duration duration : {Duration(1ns), Duration(1234567ns), Duration(26h + 3s)}) {
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration);
  }
}

}  // namespace
}  // namespace micro
