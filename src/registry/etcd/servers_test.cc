#include "registry/etcd/servers.h"

#include <gtest/gtest.h>

namespace micro::etcd {
namespace {

using Servers = std::vector<std::string>;

TEST(EtcdServersTest, WithoutAnyThisMachinesIsMeant) {
  EXPECT_EQ(ParseServers({}).value(), Servers{"127.0.0.1:2379"});
}

TEST(EtcdServersTest, AMissingPortIs2379) {
  EXPECT_EQ(
      ParseServers({"etcd", "10.0.0.7", "[fd00::7]", "https://etcd.internal"}).value(),
      (Servers{"etcd:2379", "10.0.0.7:2379", "[fd00::7]:2379", "https://etcd.internal:2379"}));
}

TEST(EtcdServersTest, APortThatIsThereStays) {
  EXPECT_EQ(ParseServers({"etcd:1", "[fd00::7]:2", "http://etcd:3/", "https://[::1]:4"}).value(),
            (Servers{"etcd:1", "[fd00::7]:2", "http://etcd:3", "https://[::1]:4"}));
}

TEST(EtcdServersTest, ThoseThatComeTwiceComeOnce) {
  EXPECT_EQ(ParseServers({"a", "b:1", "a:2379"}).value(), (Servers{"a:2379", "b:1"}));
}

TEST(EtcdServersTest, WhatIsNoAddressIsRefusedAndQuoted) {
  for (const std::string bad : {"", "etcd:", "etcd:x", "etcd:70000", "etcd:0", ":2379", "::1",
                                "[::1", "https://", "http://etcd:1/v3", "ftp://etcd:1", "a b"}) {
    const auto servers = ParseServers({"good:1", bad});
    ASSERT_FALSE(servers) << bad << " came out as " << servers->back();
    EXPECT_EQ(servers.error().code(), Code::kInvalidArgument);
    EXPECT_NE(servers.error().detail().find('"'), std::string::npos) << servers.error().detail();
  }
}

}  // namespace
}  // namespace micro::etcd
