#include "discovery/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace micro::discovery {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

ServiceReport Sample() {
  return {.name = "greeter",
          .source = "watch",
          .vouched = true,
          .looked_up = 12s,
          .trouble = {},
          .nodes = {{.id = "a",
                     .address = "10.0.0.1:1",
                     .version = "2",
                     .zone = {},
                     .seen = 3s,
                     .why = {},
                     .in_flight = 4},
                    {.id = "b",
                     .address = "10.0.0.2:1",
                     .version = "2",
                     .zone = "west",
                     .seen = 3s,
                     .withdrawn = true,
                     .rests = 1500ms,
                     .why = "could not be reached",
                     .in_flight = {}}}};
}

TEST(ReportTest, TheTextHasALineForEachNode) {
  const ServiceReport sample = Sample();
  EXPECT_EQ(
      ToText({&sample, 1}),
      "greeter: 2 nodes by watch, looked up 12s ago\n"
      "  NODE  ADDRESS     VERSION  ZONE  SEEN  CALLS  STATE\n"
      "  a     10.0.0.1:1  2              3s    4      in use\n"
      "  b     10.0.0.2:1  2        west  3s    -      rests for 1.5s, withdrawn: could not be "
      "reached\n");
}

TEST(ReportTest, WhereNothingIsKnownItSaysSo) {
  EXPECT_EQ(ToText({}), "no service was called yet\n");
  EXPECT_EQ(ToJson({}), "[]\n");
}

TEST(ReportTest, WhatStrangersHaveWrittenIsPrintableAndNotLong) {
  ServiceReport sample = Sample();
  sample.nodes[0].id = "\x1b[31m\n" + std::string(100'000, 'x');
  sample.trouble = "no\nnodes";
  const std::string text = ToText({&sample, 1});
  EXPECT_THAT(text, HasSubstr("?[31m?xxx"));
  EXPECT_THAT(text, HasSubstr("no?nodes"));
  EXPECT_LT(text.size(), 1000U);
}

TEST(ReportTest, TheJsonHasTheSame) {
  ServiceReport sample = Sample();
  sample.nodes[0].id = "\xff";
  const auto json = nlohmann::json::parse(ToJson({&sample, 1}));
  EXPECT_EQ(json[0]["name"], "greeter");
  EXPECT_EQ(json[0]["looked_up"], 12);
  EXPECT_EQ(json[0]["nodes"][0]["in_flight"], 4);
  EXPECT_EQ(json[0]["nodes"][1]["rests"], 1.5);
  EXPECT_EQ(json[0]["nodes"][1]["why"], "could not be reached");
  EXPECT_FALSE(json[0]["nodes"][1].contains("in_flight"));
}

}  // namespace
}  // namespace micro::discovery
