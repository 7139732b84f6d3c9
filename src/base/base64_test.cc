#include "base/base64.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace micro {
namespace {

std::string Encoded(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, text);
  return text;
}

// RFC 4648, section 10.
TEST(Base64Test, EncodesTheExamplesOfItsStandard) {
  EXPECT_EQ(Encoded(""), "");
  EXPECT_EQ(Encoded("f"), "Zg==");
  EXPECT_EQ(Encoded("fo"), "Zm8=");
  EXPECT_EQ(Encoded("foo"), "Zm9v");
  EXPECT_EQ(Encoded("foobar"), "Zm9vYmFy");
}

TEST(Base64Test, WhatIsEncodedComesBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(FromBase64(Encoded(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST(Base64Test, LineBreaksArePassedOver) { EXPECT_EQ(FromBase64("Zm9\r\nvYm\nFy"), "foobar"); }

TEST(Base64Test, WhatIsNoBase64IsRefused) {
  for (const std::string text :
       {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zg==Zg==", "Zm9v!", "Zm 9v", "Z===", "Zm9v="}) {
    EXPECT_FALSE(FromBase64(text)) << text;
  }
}

TEST(Utf8Test, TellsUtf8FromOtherBytes) {
  for (const std::string text : {"", "abc", "größe", "日本", "\U0001F600", "\u07ff", "\uffff"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const std::string text : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                                 "\xf4\x90\x80\x80", "\xff", "a\xe2\x82", "\xc3("}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

}  // namespace
}  // namespace micro
