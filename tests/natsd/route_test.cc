// What servers say to each other, by the byte: we are one of them.
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "route_peer.h"

namespace micro::natsd::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHeaders =
    R"({"verbose":false,"pedantic":false,"headers":true,"no_responders":true})";

class RouteTest : public ::testing::Test {
 protected:
  ServerProcess server_{ClusterConfiguration()};
};

TEST_F(RouteTest, TheAcceptorSpeaksFirst) {
  const Wire wire(server_.route_port());
  const auto info = nlohmann::json::parse(wire.info());
  EXPECT_EQ(info["cluster"], "c");
  EXPECT_EQ(info["headers"], true);
  EXPECT_EQ(info["port"], server_.route_port());
  EXPECT_LT(wire.info().size(), 2000U);
}

TEST_F(RouteTest, InterestIsToldOnceAndTakenBack) {
  RoutePeer peer(server_);
  peer.Sync();
  Wire one = server_.Client(), two = server_.Client();
  one.Send("SUB foo.* 1\r\n");
  peer.Await("RS+ $G foo.*\r\n");
  two.Send("SUB foo.* 1\r\n");
  two.Sync();
  one.Send("UNSUB 1\r\n");
  one.Sync();
  EXPECT_EQ(peer.Sync(), "");
  two.Close();
  peer.Await("RS- $G foo.*\r\n");
}

TEST_F(RouteTest, GroupsAreToldWithTheirWeight) {
  RoutePeer peer(server_);
  Wire one = server_.Client(), two = server_.Client();
  one.Send("SUB work q 1\r\n");
  peer.Await("RS+ $G work q 1\r\n");
  two.Send("SUB work q 1\r\n");
  peer.Await("RS+ $G work q 2\r\n");
  one.Send("UNSUB 1\r\n");
  peer.Await("RS+ $G work q 1\r\n");
  two.Send("UNSUB 1\r\n");
  peer.Await("RS- $G work q\r\n");
}

TEST_F(RouteTest, ANewRouteHearsOfAllThatIsThere) {
  Wire client = server_.Client();
  client.Send("SUB foo 1\r\nSUB work q 2\r\n");
  client.Sync();
  RoutePeer peer(server_);
  // The route stands when INFO has been read, and PONG comes after what that causes.
  const std::string heard = peer.Sync() + peer.Sync();
  EXPECT_THAT(heard, HasSubstr("RS+ $G foo\r\n"));
  EXPECT_THAT(heard, HasSubstr("RS+ $G work q 1\r\n"));
}

TEST_F(RouteTest, WhatOneServerWantsIsSentThere) {
  RoutePeer peer(server_);
  peer.Send("RS+ $G zed\r\nRS+ $G work wq 1\r\nRS+ $G both.>\r\nRS+ $G both.* q 3\r\n");
  peer.Sync();
  Wire client = server_.Client();
  client.Send(
      "PUB zed 2\r\nhi\r\nPUB zed rep 2\r\nhi\r\nPUB nobody 0\r\n\r\nPUB work 1\r\nx\r\n"
      "PUB work rr 1\r\nx\r\nPUB both.a 1\r\nx\r\n");
  client.Sync();
  EXPECT_EQ(peer.Sync(),
            "RMSG $G zed 2\r\nhi\r\nRMSG $G zed rep 2\r\nhi\r\nRMSG $G work | wq 1\r\nx\r\n"
            "RMSG $G work + rr wq 1\r\nx\r\nRMSG $G both.a | q 1\r\nx\r\n");
}

TEST_F(RouteTest, HeadersTravelWhereTheyAreKnown) {
  RoutePeer knows(server_);
  knows.Send("RS+ $G zed\r\nRS+ $G work wq 1\r\n");
  knows.Sync();
  Wire client = server_.Client(kHeaders);
  client.Send("HPUB zed 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  client.Send("HPUB work rr 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  client.Sync();
  EXPECT_EQ(knows.Sync(),
            "HMSG $G zed 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n"
            "HMSG $G work + rr wq 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
}

TEST_F(RouteTest, HeadersAreTakenOffWhereTheyAreNot) {
  RoutePeer peer(server_, {.headers = false});
  peer.Send("RS+ $G zed\r\n");
  peer.Sync();
  Wire client = server_.Client(kHeaders);
  client.Send("HPUB zed 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  client.Sync();
  EXPECT_EQ(peer.Sync(), "RMSG $G zed 2\r\nhi\r\n");
}

TEST_F(RouteTest, WhatComesIsDeliveredToWhomItIsMeantFor) {
  RoutePeer peer(server_);
  Wire plain = server_.Client(), member = server_.Client();
  plain.Send("SUB foo 1\r\nSUB work 2\r\n");
  plain.Sync();
  member.Send("SUB work q 1\r\nSUB work other 2\r\n");
  member.Sync();
  peer.Send(
      "RMSG $G foo 2\r\nhi\r\nRMSG $G foo rep 2\r\nhi\r\nRMSG $G work 1\r\na\r\n"
      "RMSG $G work | q 1\r\nb\r\nRMSG $G work + rep q other 1\r\nc\r\n");
  peer.Sync();
  EXPECT_EQ(plain.Sync(),
            "MSG foo 1 2\r\nhi\r\nMSG foo 1 rep 2\r\nhi\r\nMSG work 2 1\r\na\r\n"
            "MSG work 2 1\r\nb\r\nMSG work 2 rep 1\r\nc\r\n");
  const std::string heard = member.Sync();
  EXPECT_THAT(heard, HasSubstr("MSG work 1 1\r\nb\r\n"));
  EXPECT_THAT(heard, HasSubstr("MSG work 1 rep 1\r\nc\r\n"));
  EXPECT_THAT(heard, HasSubstr("MSG work 2 rep 1\r\nc\r\n"));
  EXPECT_EQ(heard.find("a\r\n"), std::string::npos);
}

TEST_F(RouteTest, HeadersThatComeArePassedOn) {
  RoutePeer peer(server_);
  Wire client = server_.Client(kHeaders);
  client.Send("SUB foo 1\r\n");
  client.Sync();
  peer.Send("HMSG $G foo rep 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  peer.Sync();
  EXPECT_EQ(client.Sync(), "HMSG foo 1 rep 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
}

TEST_F(RouteTest, ARouteMayFallIntoPiecesToo) {
  Wire client = server_.Client();
  client.Send("SUB foo 1\r\n");
  client.Sync();
  const std::string script =
      "RS+ $G zed\r\nRMSG $G foo 2\r\nhi\r\nRMSG $G foo re 2\r\nho\r\nRS- $G zed\r\n";
  RoutePeer peer(server_);
  peer.Sync();
  for (std::size_t at = 0; at <= script.size(); ++at) {
    peer.wire().SendAlone(std::string_view(script).substr(0, at));
    peer.Send(std::string_view(script).substr(at));
    peer.Sync();
    ASSERT_EQ(client.Sync(), "MSG foo 1 2\r\nhi\r\nMSG foo 1 re 2\r\nho\r\n") << "split at " << at;
  }
}

TEST_F(RouteTest, WhatIsNoLongerWantedIsNotSent) {
  RoutePeer peer(server_);
  peer.Send("RS+ $G zed\r\nRS+ $G zed\r\nRS- $G zed\r\nRS+ $G work q 3\r\nRS- $G work q\r\n");
  peer.Sync();
  Wire client = server_.Client();
  client.Send("PUB zed 0\r\n\r\nPUB work 0\r\n\r\n");
  client.Sync();
  EXPECT_EQ(peer.Sync(), "");
}

TEST_F(RouteTest, AMessageTakesOneStepOnly) {
  RoutePeer one(server_), two(server_, {.id = "NPEER2"});
  two.Send("RS+ $G foo\r\n");
  two.Sync();
  one.Send("RMSG $G foo 2\r\nhi\r\n");
  one.Sync();
  EXPECT_EQ(two.Sync(), "");
}

TEST_F(RouteTest, TheInterestOfALostRouteIsForgotten) {
  Wire client = server_.Client(kHeaders);
  client.Send("SUB reply 1\r\n");
  {
    RoutePeer peer(server_);
    peer.Send("RS+ $G zed\r\n");
    peer.Sync();
    client.Send("PUB zed reply 0\r\n\r\n");
    EXPECT_EQ(client.Sync(), "");
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::string heard;
  while (heard.empty() && std::chrono::steady_clock::now() < until) {
    client.Send("PUB zed reply 0\r\n\r\n");
    heard = client.Sync();
  }
  EXPECT_THAT(heard, HasSubstr("503"));
}

TEST_F(RouteTest, ASecondRouteToTheSameServerIsClosed) {
  RoutePeer first(server_);
  first.Sync();
  RoutePeer second(server_);
  EXPECT_EQ(second.Rest(), "");
  EXPECT_EQ(first.Sync(), "");
}

TEST_F(RouteTest, AServerOfAnotherClusterIsRefused) {
  RoutePeer peer(server_, {.cluster = "x"});
  EXPECT_EQ(peer.Rest(),
            "-ERR 'Rejecting connection, cluster name \"x\" does not match \"c\"'\r\n");
}

TEST_F(RouteTest, AClientAtTheWrongDoorIsTold) {
  Wire wire(server_.route_port());
  wire.Send("CONNECT {\"verbose\":false,\"lang\":\"go\",\"version\":\"1\"}\r\n");
  EXPECT_EQ(wire.Rest(), "-ERR 'attempted to connect to route port'\r\n");
}

TEST_F(RouteTest, InterestOfUnknownAccountsIsNoError) {
  RoutePeer peer(server_);
  peer.Send("RS+ $NOWHERE foo\r\nRS- $NOWHERE foo\r\nA+ x\r\nA- x\r\n");
  EXPECT_EQ(peer.Sync(), "");
}

TEST(RouteAuthTest, RoutesShowUserAndPassword) {
  const ServerProcess server(ClusterConfiguration("authorization { user: r, password: s }"));
  RoutePeer wrong(server, {.more = R"(,"user":"r","pass":"x")"});
  EXPECT_EQ(wrong.Rest(), "-ERR 'Authorization Violation'\r\n");
  RoutePeer right(server, {.more = R"(,"user":"r","pass":"s")"});
  Wire client = server.Client();
  client.Send("SUB foo 1\r\n");
  right.Await("RS+ $G foo\r\n");
}

// --- discovery ----------------------------------------------------------------------------------

// The INFO about server `id` that a wire hears.
nlohmann::json AwaitInfoOf(Wire& wire, const std::string& id) {
  wire.Listen();
  for (;;) {
    const std::string frame = wire.Next();
    if (frame.starts_with("INFO ")) {
      const auto info = nlohmann::json::parse(frame.substr(5));
      if (info["server_id"] == id) return info;
    }
    if (frame.ends_with("[closed]")) return {};
  }
}

TEST_F(RouteTest, ANewServerIsMadeKnownToTheOthers) {
  RoutePeer first(server_);
  first.Sync();
  RoutePeer second(server_, {.id = "NPEER2"});
  const auto info = AwaitInfoOf(first.wire(), "NPEER2");
  EXPECT_EQ(info["ip"], "nats-route://127.0.0.1:1/");
  EXPECT_TRUE(info.value("nonce", "").empty());
}

TEST_F(RouteTest, AServerHeardOfIsDialled) {
  const ServerProcess other(ClusterConfiguration());
  const auto id = nlohmann::json::parse(Wire(other.route_port()).info())["server_id"];
  RoutePeer peer(server_);
  peer.Sync();
  RoutePeer at_other(other, {.id = "NPEER2"});
  at_other.Sync();
  peer.Send(R"(INFO {"server_id":)" + id.dump() +
            R"(,"server_name":"x","version":"2.9.10","proto":2,)" +
            R"("host":"127.0.0.1","port":)" + std::to_string(other.route_port()) +
            R"(,"headers":true,"max_payload":1048576,"cluster":"c","ip":"nats-route://127.0.0.1:)" +
            std::to_string(other.route_port()) + "/\"}\r\n");
  // The other server makes its new route known to us in turn.
  const auto ours = nlohmann::json::parse(Wire(server_.route_port()).info())["server_id"];
  EXPECT_EQ(AwaitInfoOf(at_other.wire(), ours)["server_id"], ours);
}

TEST_F(RouteTest, ClientsAreToldOfTheServersOfTheCluster) {
  Wire client = server_.Client(R"({"verbose":false,"protocol":1})");
  client.Listen();
  const ServerProcess other(ClusterConfiguration("routes: [\"" + server_.route_url() + "\"]"));
  for (;;) {
    const std::string frame = client.Next();
    ASSERT_FALSE(frame.ends_with("[closed]"));
    if (frame == "PING\r\n") client.Send("PONG\r\n");
    if (!frame.starts_with("INFO ")) continue;
    const auto urls = nlohmann::json::parse(frame.substr(5))["connect_urls"];
    if (urls.size() < 2) continue;
    EXPECT_THAT(urls.dump(), HasSubstr(std::to_string(other.client_port())));
    break;
  }
}

}  // namespace
}  // namespace micro::natsd::testing
