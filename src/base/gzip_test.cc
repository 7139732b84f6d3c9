#include "base/gzip.h"

#include <gtest/gtest.h>

namespace micro {
namespace {

std::string Zipped(std::string_view bytes) {
  std::string out;
  Gzip(bytes, out);
  return out;
}

TEST(Gzip, ComesBackAsItWas) {
  const std::string long_text(100'000, 'x');
  for (const std::string& text : {std::string(), std::string("hello"), long_text}) {
    const auto back = Gunzip(Zipped(text), long_text.size());
    ASSERT_TRUE(back) << back.error().ToString();
    EXPECT_EQ(*back, text);
  }
  EXPECT_LT(Zipped(long_text).size(), long_text.size() / 10);
}

TEST(Gzip, IsAppended) {
  std::string out = "head";
  Gzip("hello", out);
  EXPECT_EQ(Gunzip(std::string_view(out).substr(4), 5), "hello");
}

TEST(Gunzip, StopsAtTheLimit) {
  const std::string bomb = Zipped(std::string(10U << 20U, '\0'));
  const auto text = Gunzip(bomb, 1U << 20U);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(Gunzip(Zipped("hello"), 5));
  EXPECT_FALSE(Gunzip(Zipped("hello"), 4));
}

TEST(Gunzip, RefusesWhatIsNoGzip) {
  const std::string good = Zipped("hello");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(Gunzip(std::string_view(good).substr(0, size), 100)) << size;
  }
  EXPECT_FALSE(Gunzip(good + "x", 100));
  EXPECT_FALSE(Gunzip("hello", 100));
}

}  // namespace
}  // namespace micro
