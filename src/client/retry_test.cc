#include <gtest/gtest.h>

#include "micro/client.h"

namespace micro {
namespace {

TEST(RetryLikeGoMicroTest, TimeoutsAndInternalErrorsAreRetried) {
  EXPECT_TRUE(RetryLikeGoMicro(Error::FromHttpCode("greeter", 408, "late"), 1));
  EXPECT_TRUE(RetryLikeGoMicro(Error::FromHttpCode("greeter", 500, "broken"), 1));
}

TEST(RetryLikeGoMicroTest, OtherCodesOfGoMicroAreNot) {
  for (const int code : {400, 401, 403, 404, 409, 501, 503}) {
    EXPECT_FALSE(RetryLikeGoMicro(Error::FromHttpCode("greeter", code, "no"), 1)) << code;
  }
}

TEST(RetryLikeGoMicroTest, AnErrorThatIsNotGoMicrosIsA500) {
  EXPECT_TRUE(RetryLikeGoMicro(Error(Code::kNotFound, "no such name"), 1));
  EXPECT_TRUE(RetryLikeGoMicro(Error(Code::kUnavailable, "not now"), 1));
}

}  // namespace
}  // namespace micro
