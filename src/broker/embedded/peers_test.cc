#include "broker/embedded/peers.h"

#include <gtest/gtest.h>

namespace micro::embedded {
namespace {

std::vector<ServiceInfo> Found(std::vector<Node> nodes) {
  return {{.name = "go.micro.nats.broker", .version = "v2", .nodes = std::move(nodes)}};
}

std::vector<std::string> Hosts(const std::vector<natsd::RouteUrl>& urls) {
  std::vector<std::string> hosts;
  for (const auto& url : urls) hosts.push_back(url.host + ":" + std::to_string(url.port));
  return hosts;
}

constexpr TimePoint kNow{};
using Words = std::vector<std::string>;

const Node kSelf{.id = "self", .address = "10.0.0.1:1"};
const Node kOne{.id = "one", .address = "10.0.0.2:2"};
const Node kTwo{.id = "two", .address = "[fd00::1]:3"};

TEST(PeersTest, OthersAreDialledOnceAndNotOurselves) {
  Peers peers("self", Secret(""));
  EXPECT_EQ(Hosts(peers.Seen(Found({kSelf, kOne, kTwo}), {}, kNow).dial),
            (Words{"10.0.0.2:2", "fd00::1:3"}));
  const auto again = peers.Seen(Found({kSelf, kOne, kTwo}), {}, kNow);
  EXPECT_TRUE(again.dial.empty());
  EXPECT_TRUE(again.drop.empty());
  EXPECT_EQ(peers.size(), 2U);
}

TEST(PeersTest, WhatTheRegistryDropsIsDropped) {
  Peers peers("self", Secret(""));
  peers.Seen(Found({kOne, kTwo}), {}, kNow);
  peers.Gone({"one", "never heard of"}, kNow);
  EXPECT_EQ(Hosts(peers.Seen(Found({kTwo}), {}, kNow).drop), Words{"10.0.0.2:2"});
  EXPECT_EQ(Hosts(peers.Seen(Found({kOne, kTwo}), {}, kNow).dial), Words{"10.0.0.2:2"});
}

TEST(PeersTest, WhoHasLeftIsListenedToAsLongAsItIsConnectedButNotForEver) {
  Peers peers("self", Secret(""));
  peers.Seen(Found({kOne, kTwo}), {"one", "two"}, kNow);
  peers.Gone({"one", "two"}, kNow);
  EXPECT_TRUE(peers.Seen({}, {"one", "two"}, kNow).drop.empty());
  EXPECT_EQ(Hosts(peers.Seen({}, {"one"}, kNow).drop), Words{"fd00::1:3"});
  EXPECT_EQ(Hosts(peers.Seen({}, {"one"}, kNow + Peers::kFarewell).drop), Words{"10.0.0.2:2"});
}

TEST(PeersTest, WhoComesBackIsKept) {
  Peers peers("self", Secret(""));
  peers.Seen(Found({kOne}), {"one"}, kNow);
  peers.Gone({"one"}, kNow);
  const auto steps = peers.Seen(Found({kOne}), {"one"}, kNow + Peers::kFarewell);
  EXPECT_TRUE(steps.drop.empty() && steps.dial.empty());
}

TEST(PeersTest, ALookThatMissesAPeerDoesNotDropIt) {
  Peers peers("self", Secret(""));
  peers.Seen(Found({kOne, kTwo}), {}, kNow);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(peers.Seen({}, {"one"}, kNow).drop.empty());
  EXPECT_EQ(Hosts(peers.Seen({}, {"one"}, kNow).drop), Words{"fd00::1:3"});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(peers.Seen({}, {"one"}, kNow).drop.empty());
  EXPECT_EQ(Hosts(peers.Seen({}, {}, kNow).drop), Words{"10.0.0.2:2"});
}

TEST(PeersTest, APeerThatHasMovedIsDialledWhereItIs) {
  Peers peers("self", Secret(""));
  peers.Seen(Found({kOne}), {}, kNow);
  const auto steps = peers.Seen(Found({{.id = "one", .address = "10.0.0.9:9"}}), {}, kNow);
  EXPECT_EQ(Hosts(steps.drop), Words{"10.0.0.2:2"});
  EXPECT_EQ(Hosts(steps.dial), Words{"10.0.0.9:9"});
}

TEST(PeersTest, WhatIsNoAddressIsPassedOver) {
  Peers peers("self", Secret(""));
  const auto steps = peers.Seen(
      Found({{.id = "a", .address = "nowhere"}, {.id = "b", .address = ":5"}, kOne}), {}, kNow);
  EXPECT_EQ(steps.bad, (Words{"nowhere", ":5"}));
  EXPECT_EQ(Hosts(steps.dial), Words{"10.0.0.2:2"});
}

TEST(PeersTest, OnlyThoseWhoProveTheSecretAreDialled) {
  const Secret secret("open sesame");
  Peers peers("self", secret);
  Node member = kOne;
  secret.Prove(member);
  Node stranger = kTwo;
  Secret("open barley").Prove(stranger);
  Node moved = member;  // another's proof, for an address of one's own
  moved.address = "10.0.0.66:6";
  EXPECT_TRUE(peers.Seen(Found({kOne, stranger, moved}), {}, kNow).dial.empty());
  const auto steps = peers.Seen(Found({member}), {}, kNow);
  ASSERT_EQ(Hosts(steps.dial), Words{"10.0.0.2:2"});
  EXPECT_EQ(steps.dial[0].user, "micro");
  EXPECT_EQ(steps.dial[0].password, secret.password());
  EXPECT_EQ(secret.password().find("sesame"), std::string::npos);
}

TEST(PeersTest, ThereIsAnEndToPeers) {
  Peers peers("self", Secret(""));
  std::vector<Node> nodes;
  for (int i = 0; i < 5000; ++i) {
    nodes.push_back({.id = std::to_string(i), .address = "10.0.0.1:" + std::to_string(i + 1)});
  }
  EXPECT_EQ(peers.Seen(Found(nodes), {}, kNow).dial.size(), 1000U);
}

}  // namespace
}  // namespace micro::embedded
