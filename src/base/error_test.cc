#include "micro/error.h"

#include <gtest/gtest.h>

namespace micro {
namespace {

TEST(ErrorTest, IsOnePointerWide) { EXPECT_EQ(sizeof(Error), sizeof(void*)); }

TEST(ErrorTest, CodesMapToGoMicrosNumbersAndBack) {
  for (const int http : {200, 400, 401, 403, 404, 408, 409, 412, 500, 501, 503}) {
    EXPECT_EQ(ToHttp(FromHttp(http)), http);
  }
  EXPECT_EQ(FromHttp(405), Code::kUnknown);
}

TEST(ErrorTest, KeepsTheNumberItWasMadeWith) {
  const Error error = Error::FromHttpCode("go.micro.srv.test", 405, "no such method");
  EXPECT_EQ(error.code(), Code::kUnknown);
  EXPECT_EQ(error.http_code(), 405);
  EXPECT_EQ(error.id(), "go.micro.srv.test");
}

TEST(ErrorTest, SaysAllThatIsKnownInOneLine) {
  Error error(Code::kUnavailable, "connection refused");
  error.set_phase(Phase::kConnect).set_node("a-1 at 127.0.0.1:1").set_attempts(2);
  EXPECT_EQ(error.ToString(),
            "UNAVAILABLE: connection refused (phase connect, node a-1 at 127.0.0.1:1, attempt 2)");
}

TEST(ErrorTest, CopiesAreEqualAndIndependent) {
  Error first(Code::kNotFound, "x");
  Error second = first;
  EXPECT_EQ(first, second);
  second.set_id("b");
  EXPECT_NE(first, second);
}

TEST(ErrorTest, FailureBecomesAnyResult) {
  const auto make = [](bool good) -> Result<int> {
    if (!good) return NotFound("nothing");
    return 7;
  };
  EXPECT_EQ(make(true).value(), 7);
  EXPECT_EQ(make(false).error().code(), Code::kNotFound);
}

TEST(ErrorTest, FailExitsWithTwoForConfiguration) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Fail(Error(Code::kInvalidArgument, "unknown flag --x").set_phase(Phase::kConfigure)),
            2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "unknown flag --x\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(Fail(Error(Code::kNotFound, "nobody")), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "NOT_FOUND: nobody\n");
}

TEST(ErrorTest, HelpIsPrintedAndNoFailure) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(Fail(Error(Code::kOk, "usage\n").set_phase(Phase::kUsage)), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "usage\n");
}

}  // namespace
}  // namespace micro
