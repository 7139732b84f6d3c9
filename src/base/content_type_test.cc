#include "base/content_type.h"

#include <gtest/gtest.h>

namespace micro {
namespace {

TEST(ContentTypeTest, ParametersAndLetterCaseDoNotMatter) {
  EXPECT_EQ(PlainContentType("application/json"), "application/json");
  EXPECT_EQ(PlainContentType("Application/JSON; charset=UTF-8"), "application/json");
  EXPECT_EQ(PlainContentType("application/json \t;a=b;c=d"), "application/json");
  EXPECT_EQ(PlainContentType("application/grpc+proto "), "application/grpc+proto");
}

TEST(ContentTypeTest, NothingStaysNothing) {
  EXPECT_EQ(PlainContentType(""), "");
  EXPECT_EQ(PlainContentType(" \t"), "");
  EXPECT_EQ(PlainContentType("; charset=utf-8"), "");
}

}  // namespace
}  // namespace micro
