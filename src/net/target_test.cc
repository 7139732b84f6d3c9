#include "net/target.h"

#include <gtest/gtest.h>

namespace micro::net {
namespace {

TEST(TargetTest, APlainAddressIsTcpAndLeavesTlsOpen) {
  const auto target = ParseTarget("[::1]:80");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->tcp, (HostPort{"::1", 80}));
  EXPECT_FALSE(target->is_unix());
  EXPECT_EQ(target->tls, std::nullopt);
}

TEST(TargetTest, ASchemeSaysWhetherThereIsTls) {
  EXPECT_EQ(ParseTarget("https://greeter:443")->tls, true);
  EXPECT_EQ(ParseTarget("https://greeter:443")->tcp, (HostPort{"greeter", 443}));
  EXPECT_EQ(ParseTarget("http://10.0.0.1:80")->tls, false);
  EXPECT_EQ(ParseTarget("http://10.0.0.1:80")->tcp, (HostPort{"10.0.0.1", 80}));
}

TEST(TargetTest, AUnixSocketHasAnAbsolutePath) {
  const auto target = ParseTarget("unix:///run/x.sock");
  ASSERT_TRUE(target);
  EXPECT_TRUE(target->is_unix());
  EXPECT_EQ(target->path, "/run/x.sock");
}

TEST(TargetTest, WhatIsNoAddressIsQuoted) {
  const std::vector<std::string> bad = {
      "",      "host",   "https://", "https://host", "ftp://host:1",
      "unix:", "unix:x", "unix:/x",  "unix://x",     "unix://" + std::string(108, '/')};
  for (const std::string& text : bad) {
    const auto target = ParseTarget(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code(), Code::kInvalidArgument);
  }
  EXPECT_TRUE(ParseTarget("unix://" + std::string(107, '/')));
}

TEST(TargetTest, TheAuthorityIsHostAndPort) {
  EXPECT_EQ(AuthorityOf("10.0.0.1:80"), "10.0.0.1:80");
  EXPECT_EQ(AuthorityOf("https://greeter:443"), "greeter:443");
  EXPECT_EQ(AuthorityOf("http://greeter:80"), "greeter:80");
  EXPECT_EQ(AuthorityOf("unix:///run/x.sock"), "localhost");
}

}  // namespace
}  // namespace micro::net
