#include "registry/dns/resolv_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::dns_registry {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST(ResolvConfTest, ReadsWhatKubernetesWrites) {
  const ResolvConf conf = ParseResolvConf(
      "nameserver 10.96.0.10\n"
      "search prod.svc.cluster.local svc.cluster.local cluster.local.\n"
      "options ndots:5 timeout:1 attempts:3 edns0\n");
  EXPECT_THAT(conf.servers, ElementsAre(HostPort{.host = "10.96.0.10", .port = 53}));
  EXPECT_THAT(conf.search,
              ElementsAre("prod.svc.cluster.local", "svc.cluster.local", "cluster.local"));
  EXPECT_EQ(conf.ndots, 5);
  EXPECT_EQ(conf.timeout, 1s);
  EXPECT_EQ(conf.attempts, 3);
}

TEST(ResolvConfTest, PassesOverWhatMakesNoSense) {
  const ResolvConf conf = ParseResolvConf(
      "# nameserver 1.1.1.1\n; nameserver 2.2.2.2\nnameserver nonsense\nnameserver\n"
      "nameserver fd00::10\r\noptions ndots:x timeout: attempts:99999999999999 timeout:99\n"
      "search a\nsearch b\n\xff\xfe\n");
  EXPECT_THAT(conf.servers, ElementsAre(HostPort{.host = "fd00::10", .port = 53}));
  EXPECT_THAT(conf.search, ElementsAre("b"));
  EXPECT_EQ(conf.ndots, 1);
  EXPECT_EQ(conf.timeout, 30s);
  EXPECT_EQ(conf.attempts, 2);
}

TEST(ResolvConfTest, WithoutAServerThisMachineIsAsked) {
  EXPECT_THAT(ParseResolvConf("").servers, ElementsAre(HostPort{.host = "127.0.0.1", .port = 53}));
}

TEST(ResolvConfTest, NamesWithFewDotsAreTriedBelowTheSearchDomainsFirst) {
  const ResolvConf conf{.search = {"a.example", "b.example"}, .ndots = 2};
  EXPECT_THAT(Candidates("x", conf), ElementsAre("x.a.example", "x.b.example", "x"));
  EXPECT_THAT(Candidates("x.y", conf), ElementsAre("x.y.a.example", "x.y.b.example", "x.y"));
  EXPECT_THAT(Candidates("x.y.z", conf),
              ElementsAre("x.y.z", "x.y.z.a.example", "x.y.z.b.example"));
  EXPECT_THAT(Candidates("x.", conf), ElementsAre("x"));
}

TEST(ResolvConfTest, NameserversAreAddresses) {
  EXPECT_EQ(ParseNameserver("[fd00::1]:5353").value(), (HostPort{.host = "fd00::1", .port = 5353}));
  for (const char* bad : {"", "example.com", "10.0.0.1:", "10.0.0.1:0", ":53", "10.0.0.1:70000"}) {
    EXPECT_FALSE(ParseNameserver(bad)) << bad;
  }
}

}  // namespace
}  // namespace micro::dns_registry
