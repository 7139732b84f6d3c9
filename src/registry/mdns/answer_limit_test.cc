#include "registry/mdns/answer_limit.h"

#include <gtest/gtest.h>

namespace micro::mdns {
namespace {

using boost::asio::ip::make_address;
using namespace std::chrono_literals;

TEST(AnswerLimitTest, OneSourceGetsSoMuchAndThenABitAtATime) {
  AnswerLimit limit;
  const TimePoint start = std::chrono::steady_clock::now();
  const auto source = make_address("10.0.0.1");
  std::size_t octets = 0;
  while (limit.Takes(source, 1000, start)) octets += 1000;
  EXPECT_NEAR(static_cast<double>(octets), AnswerLimit::kBurst, 1000);
  EXPECT_TRUE(limit.Takes(make_address("10.0.0.2"), 1000, start)) << "others are not concerned";
  EXPECT_TRUE(limit.Takes(source, 1000, start + 10ms));
  octets = 0;
  while (limit.Takes(source, 1000, start + 1s)) octets += 1000;
  EXPECT_NEAR(static_cast<double>(octets), AnswerLimit::kPerSecond, 3000);
}

TEST(AnswerLimitTest, SourcesAreBounded) {
  AnswerLimit limit;
  const TimePoint start = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < 3 * AnswerLimit::kMaxSources; ++i) {
    EXPECT_TRUE(limit.Takes(boost::asio::ip::address_v4(0x0a000000 + i), 1000, start));
  }
}

}  // namespace
}  // namespace micro::mdns
