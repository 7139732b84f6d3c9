#include "net/http2/reset_streams.h"

#include <gtest/gtest.h>

namespace micro::http2 {
namespace {

TEST(ResetStreamsTest, KnowsWhatWasReset) {
  ResetStreams streams;
  EXPECT_FALSE(streams.MayHave(1));
  streams.Add(3);
  EXPECT_FALSE(streams.MayHave(1));
  EXPECT_TRUE(streams.MayHave(3));
  EXPECT_FALSE(streams.MayHave(5));
}

TEST(ResetStreamsTest, NeverDeniesAResetHoweverLongAgo) {
  ResetStreams streams;
  for (std::int32_t id = 1; id < 2000; id += 2) streams.Add(id);
  for (std::int32_t id = 1; id < 2000; id += 2) EXPECT_TRUE(streams.MayHave(id)) << id;
  EXPECT_FALSE(streams.MayHave(2001));
}

TEST(ResetStreamsTest, ForgetsTheOldestFirst) {
  ResetStreams streams;
  streams.Add(1);
  for (std::int32_t id = 101; id < 101 + 2 * 64; id += 2) streams.Add(id);
  EXPECT_TRUE(streams.MayHave(1));
  EXPECT_FALSE(streams.MayHave(99));
}

}  // namespace
}  // namespace micro::http2
