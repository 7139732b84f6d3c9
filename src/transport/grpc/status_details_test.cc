#include "transport/grpc/status_details.h"

#include <gtest/gtest.h>

#include "transport/grpc/wire.h"

namespace micro::grpc {
namespace {

// What go-micro v2 puts on the wire for BadRequest("go.micro.srv.test", "bad thing 7").
constexpr std::string_view kJson =
    R"({"id":"go.micro.srv.test","code":400,"detail":"bad thing 7","status":"Bad Request"})";
constexpr std::string_view kDetails =
    "CAMSU3siaWQiOiJnby5taWNyby5zcnYudGVzdCIsImNvZGUiOjQwMCwiZGV0YWlsIjoiYmFkIHRoaW5nIDciLCJzdGF0"
    "dXMiOiJCYWQgUmVxdWVzdCJ9GlQKIHR5cGUuZ29vZ2xlYXBpcy5jb20vZXJyb3JzLkVycm9yEjAKEWdvLm1pY3JvLnNy"
    "di50ZXN0EJADGgtiYWQgdGhpbmcgNyILQmFkIFJlcXVlc3Q";

Error GoError() { return Error::FromHttpCode("go.micro.srv.test", 400, "bad thing 7"); }

std::string Bytes(std::string_view base64) { return Base64Decode(base64).value(); }

TEST(StatusDetailsTest, WritesAnErrorAsGoMicroDoes) {
  const std::string json = ErrorJson(GoError());
  EXPECT_EQ(json, kJson);
  EXPECT_EQ(PercentEncode(json), kJson);
  EXPECT_EQ(Base64Encode(ErrorDetails(GoError(), json)), kDetails);
}

TEST(StatusDetailsTest, ReadsAnErrorAsGoMicroWritesIt) {
  EXPECT_EQ(ReadError(Code::kInvalidArgument, kJson, Bytes(kDetails)), GoError());
}

TEST(StatusDetailsTest, JsonAloneIsEnough) {
  EXPECT_EQ(ReadError(Code::kInvalidArgument, kJson, ""), GoError());
}

TEST(StatusDetailsTest, WithoutEitherTheCodeAndTheMessageCount) {
  const Error error = ReadError(Code::kNotFound, "no such thing", "");
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_EQ(error.detail(), "no such thing");
  EXPECT_EQ(error.http_code(), 404);
  EXPECT_EQ(error.id(), "");
}

TEST(StatusDetailsTest, MembersWithoutAValueAreLeftOut) {
  EXPECT_EQ(ErrorJson(Error::FromHttpCode("", 999, "")), R"({"code":999})");
  EXPECT_EQ(ErrorJson(Error(Code::kNotFound, "gone")),
            R"({"code":404,"detail":"gone","status":"Not Found"})");
}

TEST(StatusDetailsTest, TextIsEscapedAsGoDoes) {
  const Error error = Error::FromHttpCode("", 999, "<a&b> \"q\" \\ \n");
  EXPECT_EQ(ErrorJson(error), R"({"code":999,"detail":"\u003ca\u0026b\u003e \"q\" \\ \n"})");
}

TEST(StatusDetailsTest, TheMessageMayBePlainText) {
  EXPECT_EQ(ErrorText(GoError()), "bad thing 7");
  const std::string details = ErrorDetails(GoError(), ErrorText(GoError()));
  EXPECT_EQ(details.find("{"), std::string::npos);
  EXPECT_EQ(ReadError(Code::kInvalidArgument, "bad thing 7", details), GoError());
}

TEST(StatusDetailsTest, DetailsAreUtf8WhateverTheErrorIs) {
  const Error error(Code::kInternal, "raw \xff, \xc3\xbc");
  EXPECT_EQ(ErrorText(error), "raw \xef\xbf\xbd, \xc3\xbc");
  const Error read = ReadError(error.code(), "", ErrorDetails(error, ErrorText(error)));
  EXPECT_EQ(read.detail(), "raw \xef\xbf\xbd, \xc3\xbc");
}

TEST(StatusDetailsTest, WhatIsNoUtf8DoesNoHarm) {
  const Error error(Code::kInternal, "raw \xff\xfe bytes");
  const Error read = ReadError(error.code(), ErrorJson(error), "");
  EXPECT_EQ(read.code(), Code::kInternal);
  EXPECT_NE(read.detail().find("bytes"), std::string::npos);
}

TEST(StatusDetailsTest, EveryCodeComesBack) {
  for (int number = 1; number <= 16; ++number) {
    const Error error = Error(static_cast<Code>(number), "because").set_id("a.service");
    const std::string json = ErrorJson(error);
    const Error read = ReadError(error.code(), json, ErrorDetails(error, json));
    EXPECT_EQ(read.code(), error.code());
    EXPECT_EQ(read.http_code(), error.http_code());
    EXPECT_EQ(read.detail(), "because");
    EXPECT_EQ(read.id(), "a.service");
  }
}

// A length-delimited field with a one-byte tag and length.
std::string Field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

TEST(StatusDetailsTest, AForeignDetailAheadOfItIsPassedOver) {
  const std::string foreign = Field(
      3, Field(1, "type.googleapis.com/google.rpc.RetryInfo") + Field(2, std::string("\x0a\0", 2)));
  const std::string own =
      Field(3, Field(1, "type.googleapis.com/errors.Error") + Field(2, Field(1, "me")));
  EXPECT_EQ(ReadError(Code::kAborted, "x", foreign + own).id(), "me");
}

TEST(StatusDetailsTest, OnlyForeignDetailsLeaveTheMessage) {
  const std::string foreign = Field(3, Field(1, "type.googleapis.com/google.rpc.RetryInfo"));
  const Error read = ReadError(Code::kAborted, "try later", foreign);
  EXPECT_EQ(read.detail(), "try later");
  EXPECT_EQ(read.code(), Code::kAborted);
}

TEST(StatusDetailsTest, BrokenDetailsFallBackToTheMessage) {
  const std::string details = Bytes(kDetails);
  for (std::size_t size = 0; size < details.size(); ++size) {
    const Error read = ReadError(Code::kInvalidArgument, kJson, details.substr(0, size));
    EXPECT_EQ(read, GoError()) << "cut to " << size;
  }
}

TEST(StatusDetailsTest, JsonThatIsNoErrorIsAMessage) {
  for (const std::string_view text : {"{}", "{", R"({"code":"400"})", R"({"code":0})", "[1]",
                                      R"({"code":1e99})", R"({"code":99999999999})"}) {
    EXPECT_EQ(ReadError(Code::kUnknown, text, "").detail(), text);
  }
}

TEST(StatusDetailsTest, MembersOfOtherTypesAreLeftOut) {
  const Error read = ReadError(Code::kUnknown, R"({"code":400,"detail":7,"id":null})", "");
  EXPECT_EQ(read.http_code(), 400);
  EXPECT_EQ(read.detail(), "");
  EXPECT_EQ(read.id(), "");
}

TEST(StatusDetailsTest, MoreDetailsStandBehindGoMicros) {
  Error error(Code::kInvalidArgument, "no");
  error.set_id("me").AddDetail({"type.googleapis.com/test.First", "1"});
  error.AddDetail({"type.googleapis.com/test.Second", ""});
  const Error read = ReadError(error.code(), "", ErrorDetails(error, ErrorText(error)));
  EXPECT_EQ(read.id(), "me");
  EXPECT_EQ(read.details(), error.details());
}

TEST(StatusDetailsTest, DetailsWithoutGoMicrosAreKept) {
  Error error(Code::kInvalidArgument, "no");
  const std::string any("\x0a\x06t.io/X\x12\x01v", 11);
  const std::string status = "\x1a\x0b" + any;
  const Error read = ReadError(Code::kNotFound, "gone", status);
  EXPECT_EQ(read.code(), Code::kNotFound);
  EXPECT_EQ(read.detail(), "gone");
  EXPECT_EQ(read.details(), (std::vector<ErrorDetail>{{"t.io/X", "v"}}));
}

}  // namespace
}  // namespace micro::grpc
