#include "base/address.h"

#include <gtest/gtest.h>

namespace micro {
namespace {

TEST(AddressTest, SplitsHostAndPort) {
  EXPECT_EQ(ParseHostPort("example.com:80"), (HostPort{"example.com", 80}));
  EXPECT_EQ(ParseHostPort("10.0.0.1:65535"), (HostPort{"10.0.0.1", 65535}));
  EXPECT_EQ(ParseHostPort("[::1]:8080"), (HostPort{"::1", 8080}));
  EXPECT_EQ(ParseHostPort("[fe80::1%eth0]:1"), (HostPort{"fe80::1%eth0", 1}));
  EXPECT_EQ(ParseHostPort(":0"), (HostPort{"", 0}));
}

TEST(AddressTest, RejectsWhatIsNoAddress) {
  for (const char* text :
       {"", "host", "host:", "host:x", "host:65536", "host:-1", "host: 1", "::1", "::1:80", "[::1]",
        "[::1:80", "[]:80", "a/b:80", "a b:80", "[a]b]:80", "host:80 "}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::kInvalidArgument);
    EXPECT_NE(parsed.error().detail().find("\"" + std::string(text) + "\""), std::string::npos);
  }
}

TEST(AddressTest, JoinsWhatItSplit) {
  for (const char* text : {"example.com:80", "10.0.0.1:1", "[::1]:8080", ":7"}) {
    const auto parsed = ParseHostPort(text).value();
    EXPECT_EQ(JoinHostPort(parsed.host, parsed.port), text);
  }
}

}  // namespace
}  // namespace micro
