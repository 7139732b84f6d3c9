#include "transport/grpc/reason.h"

#include <gtest/gtest.h>

namespace micro::grpc {
namespace {

TEST(ReasonTest, IsHttpsPhrase) {
  EXPECT_EQ(Reason(100), "Continue");
  EXPECT_EQ(Reason(404), "Not Found");
  EXPECT_EQ(Reason(418), "I'm a teapot");
  EXPECT_EQ(Reason(511), "Network Authentication Required");
}

TEST(ReasonTest, IsEmptyForWhatHttpDoesNotKnow) {
  for (const int code : {-1, 0, 99, 104, 227, 419, 499, 509, 512, 1000}) {
    EXPECT_EQ(Reason(code), "") << code;
  }
}

}  // namespace
}  // namespace micro::grpc
