#include "transport/grpc/wire.h"

#include <limits>

#include <gtest/gtest.h>

namespace micro::grpc {
namespace {

using namespace std::chrono_literals;

TEST(TimeoutTest, IsWrittenAsFineAsEightDigitsAllow) {
  EXPECT_EQ(EncodeTimeout(0ns), "0n");
  EXPECT_EQ(EncodeTimeout(1ns), "1n");
  EXPECT_EQ(EncodeTimeout(99'999'999ns), "99999999n");
  EXPECT_EQ(EncodeTimeout(100'000'000ns), "100000u");
  EXPECT_EQ(EncodeTimeout(4'998'713us), "4998713u");
  EXPECT_EQ(EncodeTimeout(99'999'999us), "99999999u");
  EXPECT_EQ(EncodeTimeout(100s), "100000m");
  EXPECT_EQ(EncodeTimeout(99'999'999s), "99999999S");
}

TEST(TimeoutTest, IsRoundedUp) {
  EXPECT_EQ(EncodeTimeout(100'000'001ns), "100001u");
  EXPECT_EQ(EncodeTimeout(100s + 1ns), "100001m");
}

TEST(TimeoutTest, ThePastIsNoTimeAtAll) { EXPECT_EQ(EncodeTimeout(-5s), "0n"); }

TEST(TimeoutTest, TheLongestDurationFits) {
  const std::string text = EncodeTimeout(Duration::max());
  EXPECT_LE(text.size(), 9U);
  EXPECT_GE(DecodeTimeout(text), Duration::max());
}

TEST(TimeoutTest, EveryUnitIsRead) {
  EXPECT_EQ(DecodeTimeout("4998713u"), Duration(4'998'713us));
  EXPECT_EQ(DecodeTimeout("1n"), Duration(1ns));
  EXPECT_EQ(DecodeTimeout("2m"), Duration(2ms));
  EXPECT_EQ(DecodeTimeout("3S"), Duration(3s));
  EXPECT_EQ(DecodeTimeout("4M"), Duration(4min));
  EXPECT_EQ(DecodeTimeout("5H"), Duration(5h));
  EXPECT_EQ(DecodeTimeout("00000000n"), Duration(0ns));
}

TEST(TimeoutTest, MoreThanSixtyFourBitsIsTheLongestThereIs) {
  EXPECT_EQ(DecodeTimeout("99999999H"), Duration::max());
}

TEST(TimeoutTest, WhatIsNoneIsRejected) {
  for (const std::string_view text : {"", "1", "n", "S", "-1S", "+1S", "1.5S", "1 S", " 1S", "1s",
                                      "1h", "1x", "100000000n", "S1", "1SS", "0x1S"}) {
    EXPECT_EQ(DecodeTimeout(text), std::nullopt) << text;
  }
}

TEST(TimeoutTest, ADeadlineIsThatMuchFromNow) {
  const TimePoint before = std::chrono::steady_clock::now();
  const auto deadline = DecodeDeadline("5H");
  ASSERT_TRUE(deadline);
  EXPECT_GE(*deadline, before + 5h);
  EXPECT_LE(*deadline, std::chrono::steady_clock::now() + 5h);
  EXPECT_EQ(DecodeDeadline("99999999H"), TimePoint::max());
}

TEST(TimeoutTest, WhatGivesNoDeadlineIsQuoted) {
  const auto deadline = DecodeDeadline("soon");
  ASSERT_FALSE(deadline);
  EXPECT_EQ(deadline.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(deadline.error().detail(), "\"soon\" is no grpc-timeout");
}

TEST(PercentTest, PrintableAsciiStays) {
  const std::string text = R"({"id":"a","detail":"b ~"})";
  EXPECT_EQ(PercentEncode(text), text);
  EXPECT_EQ(PercentDecode(text), text);
}

TEST(PercentTest, TheRestIsEscaped) {
  EXPECT_EQ(PercentEncode("100%"), "100%25");
  EXPECT_EQ(PercentEncode("\n\x7f"), "%0A%7F");
  EXPECT_EQ(PercentEncode("\xc3\xbc"), "%C3%BC");
  EXPECT_EQ(PercentEncode(std::string(1, '\0')), "%00");
}

TEST(PercentTest, EitherCaseIsRead) { EXPECT_EQ(PercentDecode("%c3%BC"), "\xc3\xbc"); }

TEST(PercentTest, WhatIsNoEscapeStays) {
  for (const std::string_view text : {"%", "%4", "%zz", "100% sure", "%%"}) {
    EXPECT_EQ(PercentDecode(text), text);
  }
  EXPECT_EQ(PercentDecode("%%41"), "%A");
}

std::string AllBytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

TEST(PercentTest, EveryByteComesBack) {
  EXPECT_EQ(PercentDecode(PercentEncode(AllBytes())), AllBytes());
}

TEST(Base64Test, IsWrittenWithoutPadding) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg");
  EXPECT_EQ(Base64Encode("fo"), "Zm8");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("foob"), "Zm9vYg");
}

TEST(Base64Test, PaddingIsOptional) {
  EXPECT_EQ(Base64Decode("Zg"), "f");
  EXPECT_EQ(Base64Decode("Zg=="), "f");
  EXPECT_EQ(Base64Decode("Zm8="), "fo");
  EXPECT_EQ(Base64Decode("Zm9v"), "foo");
  EXPECT_EQ(Base64Decode(""), "");
}

TEST(Base64Test, OtherCharactersAreRejected) {
  for (const std::string_view text : {"Z", "Zg=a", "Zm9v!", "Zm 9v", "-_-_", "Zm9vY", "=Zg"}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(Base64Test, EveryByteComesBack) {
  const std::string bytes = AllBytes();
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(Base64Decode(Base64Encode(bytes.substr(0, size))), bytes.substr(0, size));
  }
}

TEST(MetadataKeyTest, TheProtocolsOwnAreReserved) {
  for (const std::string_view key :
       {"", ":path", "grpc-status", "grpc-anything", "content-type", "te", "connection", "host"}) {
    EXPECT_TRUE(IsReserved(key)) << key;
  }
  for (const std::string_view key : {"timeout", "x-content-type", "micro-from-service", "grpc"}) {
    EXPECT_FALSE(IsReserved(key)) << key;
  }
}

TEST(MetadataKeyTest, OnlyTokensAndPrintableValuesAreSent) {
  EXPECT_TRUE(IsSendable("x-user.id_1", "any text ~"));
  EXPECT_TRUE(IsSendable("x-raw-bin", std::string_view("\0\xff", 2)));
  EXPECT_FALSE(IsSendable("", "x"));
  EXPECT_FALSE(IsSendable("X-Upper", "x"));
  EXPECT_FALSE(IsSendable("a b", "x"));
  EXPECT_FALSE(IsSendable("x-user", "line\nbreak"));
  EXPECT_FALSE(IsSendable("x-user", "\xc3\xbc"));
}

}  // namespace
}  // namespace micro::grpc
