#include "net/advertise.h"

#include <gtest/gtest.h>

#include "base/address.h"

namespace micro::net {
namespace {

TEST(AdvertiseTest, AGivenAddressIsTaken) {
  EXPECT_EQ(AdvertisedAddress("0.0.0.0:8080", "example.org:80"), "example.org:80");
  EXPECT_EQ(AdvertisedAddress("0.0.0.0:8080", "[2001:db8::1]:80"), "[2001:db8::1]:80");
}

TEST(AdvertiseTest, AGivenHostGetsThePortThatIsListenedOn) {
  EXPECT_EQ(AdvertisedAddress("0.0.0.0:8080", "example.org"), "example.org:8080");
  EXPECT_EQ(AdvertisedAddress("[::]:8080", "10.0.0.1"), "10.0.0.1:8080");
  EXPECT_EQ(AdvertisedAddress("[::]:8080", "[2001:db8::1]"), "[2001:db8::1]:8080");
}

TEST(AdvertiseTest, WhatIsNoAddressIsRefusedByTheNameOfTheFlag) {
  for (const std::string given : {"example.org:", "a:b", "1.2.3.4:99999", ":::"}) {
    const auto address = AdvertisedAddress("0.0.0.0:8080", given);
    ASSERT_FALSE(address) << given << " became " << *address;
    EXPECT_EQ(address.error().phase(), Phase::kConfigure);
    EXPECT_TRUE(address.error().detail().starts_with("--server_advertise"));
  }
}

TEST(AdvertiseTest, ASpecificBoundAddressIsTaken) {
  EXPECT_EQ(AdvertisedAddress("127.0.0.1:8080", ""), "127.0.0.1:8080");
  EXPECT_EQ(AdvertisedAddress("[::1]:8080", ""), "[::1]:8080");
}

TEST(AdvertiseTest, AnUnspecifiedHostIsReplaced) {
  for (const std::string bound : {"0.0.0.0:8080", "[::]:8080"}) {
    const auto address = ParseHostPort(AdvertisedAddress(bound, "").value());
    ASSERT_TRUE(address) << bound;
    EXPECT_EQ(address->port, 8080);
    EXPECT_NE(address->host, "0.0.0.0");
    EXPECT_NE(address->host, "::");
    EXPECT_FALSE(address->host.starts_with("fe80"));
    EXPECT_FALSE(address->host.starts_with("169.254"));
  }
}

TEST(AdvertiseTest, AnIpv4ListenerAdvertisesNoIpv6Address) {
  const auto address = ParseHostPort(AdvertisedAddress("0.0.0.0:1", "").value());
  EXPECT_EQ(address->host.find(':'), std::string::npos);
}

TEST(AdvertiseTest, TheAddressOfAnotherKindOfTransportStays) {
  EXPECT_EQ(AdvertisedAddress("memory:1", ""), "memory:1");
}

}  // namespace
}  // namespace micro::net
