// What a client may say, and what it hears then: cases of nats-server's own tests, by the byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server_process.h"

namespace micro::natsd::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHeaders =
    R"({"verbose":false,"pedantic":false,"headers":true,"no_responders":true})";

class ProtocolTest : public ::testing::Test {
 protected:
  // Says `what` on a connection of its own; all that comes until the server has closed it.
  std::string Fatal(const std::string& what) {
    Wire wire = server_.Client();
    wire.Send(what);
    return wire.Rest();
  }

  ServerProcess server_;
};

TEST_F(ProtocolTest, InfoSaysWhatAClientMustKnow) {
  const auto info = nlohmann::json::parse(server_.Stranger().info());
  EXPECT_EQ(info["proto"], 1);
  EXPECT_EQ(info["headers"], true);
  EXPECT_EQ(info["max_payload"], 1 << 20);
  EXPECT_EQ(info["port"], server_.client_port());
  EXPECT_FALSE(info["server_id"].get<std::string>().empty());
  EXPECT_TRUE(info.contains("version"));
  EXPECT_TRUE(info.contains("client_id"));
  EXPECT_EQ(info["client_ip"], "127.0.0.1");
  EXPECT_FALSE(info.contains("connect_urls"));
  EXPECT_FALSE(info.contains("nonce"));
}

TEST_F(ProtocolTest, PingIsAnsweredEvenBeforeConnect) {
  Wire wire = server_.Stranger();
  wire.Send("PING\r\nping\r\nPING with words\r\nPING\n");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(wire.Next(), "PONG\r\n");
}

TEST_F(ProtocolTest, AMessageReachesItsSubscriber) {
  Wire wire = server_.Client();
  wire.Send("SUB foo 1\r\nPUB foo 5\r\nhello\r\n");
  EXPECT_EQ(wire.Sync(), "MSG foo 1 5\r\nhello\r\n");
  wire.Send("PUB foo INBOX.22 2\r\nok\r\nPUB foo 0\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "MSG foo 1 INBOX.22 2\r\nok\r\nMSG foo 1 0\r\n\r\n");
}

TEST_F(ProtocolTest, ReachesOtherConnectionsOnceTheySubscribed) {
  Wire subscriber = server_.Client();
  Wire publisher = server_.Client();
  subscriber.Send("SUB foo a-sid\r\n");
  subscriber.Sync();
  publisher.Send("PUB foo 2\r\nhi\r\n");
  EXPECT_EQ(publisher.Sync(), "");
  EXPECT_EQ(subscriber.Sync(), "MSG foo a-sid 2\r\nhi\r\n");
}

TEST_F(ProtocolTest, SeparatorsAndCaseMayVary) {
  Wire wire = server_.Client();
  wire.Send("sub\tfoo  1\r\nPub foo\t2\nhi\r\npub  foo  2  \r\nho\r\n");
  EXPECT_EQ(wire.Sync(), "MSG foo 1 2\r\nhi\r\nMSG foo 1 2\r\nho\r\n");
}

TEST_F(ProtocolTest, APayloadMayHoldAnything) {
  Wire wire = server_.Client();
  const std::string payload("\r\nPUB foo 1\r\n\0\xff", 15);
  wire.Send("SUB foo 1\r\nPUB foo 15\r\n" + payload + "\r\n");
  EXPECT_EQ(wire.Sync(), "MSG foo 1 15\r\n" + payload + "\r\n");
}

TEST_F(ProtocolTest, WildcardsMatchTokens) {
  Wire wire = server_.Client();
  wire.Send("SUB a.* star\r\nSUB a.> rest\r\nSUB a* literal\r\n");
  const auto reached = [&](const std::string& subject) {
    wire.Send("PUB " + subject + " 0\r\n\r\n");
    const std::string all = wire.Sync();
    std::string sids;
    for (const char* sid : {"star", "rest", "literal"}) {
      if (all.find(std::string(" ") + sid + " ") != std::string::npos) sids += sid[0];
    }
    return sids;
  };
  EXPECT_EQ(reached("a.b"), "sr");
  EXPECT_EQ(reached("a.b.c"), "r");
  EXPECT_EQ(reached("a"), "");
  EXPECT_EQ(reached("a*"), "l");
  EXPECT_EQ(reached("ab"), "");
  EXPECT_EQ(reached("a.*"), "sr");
  EXPECT_EQ(reached("A.b"), "");
}

TEST_F(ProtocolTest, SubjectsWithEmptyTokensReachNobody) {
  Wire wire = server_.Client();
  wire.Send("SUB > 1\r\nPUB a..b 0\r\n\r\nPUB .a 0\r\n\r\nPUB a. 0\r\n\r\nPUB a.b 0\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "MSG a.b 1 0\r\n\r\n");
}

TEST_F(ProtocolTest, UnsubscribedIsUnsubscribed) {
  Wire wire = server_.Client();
  wire.Send("SUB foo 1\r\nSUB foo 2\r\nUNSUB 1\r\nUNSUB unknown\r\nPUB foo 0\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "MSG foo 2 0\r\n\r\n");
}

TEST_F(ProtocolTest, AutomaticEndsCountFromTheSubscription) {
  Wire wire = server_.Client();
  wire.Send("SUB foo 1\r\nPUB foo 1\r\na\r\nUNSUB 1 3\r\n");
  for (const char* payload : {"b", "c", "d", "e"}) {
    wire.Send(std::string("PUB foo 1\r\n") + payload + "\r\n");
  }
  EXPECT_EQ(wire.Sync(), "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\n");
}

TEST_F(ProtocolTest, AnEndThatIsReachedAlreadyIsNow) {
  Wire wire = server_.Client();
  wire.Send("SUB foo 1\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nUNSUB 1 2\r\nPUB foo 1\r\nc\r\n");
  EXPECT_EQ(wire.Sync(), "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\n");
}

TEST_F(ProtocolTest, ASecondSubscriptionOfTheSameNumberIsIgnored) {
  Wire wire = server_.Client();
  wire.Send("SUB foo 1\r\nSUB bar 1\r\nPUB bar 0\r\n\r\nPUB foo 0\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "MSG foo 1 0\r\n\r\n");
}

TEST_F(ProtocolTest, WithoutEchoOwnMessagesStayAway) {
  Wire silent = server_.Client(R"({"verbose":false,"pedantic":false,"echo":false})");
  Wire other = server_.Client();
  silent.Send("SUB foo 1\r\nPUB foo 1\r\na\r\n");
  EXPECT_EQ(silent.Sync(), "");
  other.Send("PUB foo 1\r\nb\r\n");
  other.Sync();
  EXPECT_EQ(silent.Sync(), "MSG foo 1 1\r\nb\r\n");
}

TEST_F(ProtocolTest, MessagesOfAPublisherKeepTheirOrder) {
  Wire wire = server_.Client();
  std::string sent = "SUB n.* 1\r\n", expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string payload = std::to_string(i);
    const std::string subject = "n." + std::to_string(i % 7);
    const std::string rest = std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
    sent += "PUB " + subject + " " + rest;
    expected += "MSG " + subject + " 1 " + rest;
  }
  wire.Send(sent);
  EXPECT_EQ(wire.Sync(), expected);
}

TEST_F(ProtocolTest, HeadersArePassedOn) {
  Wire wire = server_.Client(kHeaders);
  wire.Send("SUB foo 1\r\nHPUB foo 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  EXPECT_EQ(wire.Sync(), "HMSG foo 1 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  wire.Send("HPUB foo reply 12 12\r\nNATS/1.0\r\n\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "HMSG foo 1 reply 12 12\r\nNATS/1.0\r\n\r\n\r\n");
}

TEST_F(ProtocolTest, HeadersAreTakenOffForWhoKnowsNone) {
  Wire with = server_.Client(kHeaders);
  Wire without = server_.Client();
  without.Send("SUB foo 1\r\n");
  without.Sync();
  with.Send("HPUB foo reply 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  with.Sync();
  EXPECT_EQ(without.Sync(), "MSG foo 1 reply 2\r\nhi\r\n");
}

TEST_F(ProtocolTest, ARequestThatNobodyTakesIsAnsweredSo) {
  Wire wire = server_.Client(kHeaders);
  wire.Send("SUB reply.* 7\r\nPUB nobody reply.1 0\r\n\r\nPUB nobody 0\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "HMSG reply.1 7 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
}

TEST_F(ProtocolTest, ARequestThatSomebodyTakesIsNot) {
  Wire wire = server_.Client(kHeaders);
  Wire other = server_.Client();
  other.Send("SUB somebody q 1\r\n");
  other.Sync();
  wire.Send("SUB reply.* 7\r\nPUB somebody reply.1 0\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "");
}

TEST_F(ProtocolTest, InvalidSubscriptionsLeaveTheConnection) {
  Wire wire = server_.Client();
  for (const char* subject : {"a..b", ".a", "a.", "a.>.b", ">."}) {
    wire.Send(std::string("SUB ") + subject + " 1\r\n");
    EXPECT_EQ(wire.Sync(), "-ERR 'Invalid Subject'\r\n") << subject;
  }
}

TEST_F(ProtocolTest, ReservedRepliesAreRefused) {
  Wire wire = server_.Client();
  wire.Send("SUB foo 1\r\nPUB foo _R_.x 0\r\n\r\n");
  EXPECT_EQ(wire.Sync(), "-ERR 'Permissions Violation for Publish with Reply of \"_R_.x\"'\r\n");
}

TEST_F(ProtocolTest, UnknownOperationsEndTheConnection) {
  for (const char* what :
       {"FOO\r\n", "\r\n", "MSG a 1 1\r\nx\r\n", "RS+ $G a\r\n", "A+ x\r\n", "RMSG $G a 1\r\nx\r\n",
        "L\r\n", "PUBX a 1\r\n", "PUB\r\n", "SUB\r\n", "UNSUB\r\n"}) {
    EXPECT_EQ(Fatal(what), "-ERR 'Unknown Protocol Operation'\r\n") << what;
  }
}

TEST_F(ProtocolTest, MalformedArgumentsEndTheConnectionSilently) {
  for (const char* what :
       {"PUB a\r\n", "PUB a b c 1\r\n", "PUB a -1\r\n", "PUB a x\r\n", "PUB a 1x\r\n",
        "PUB a 0123456789\r\n", "SUB a\r\n", "SUB a b c d\r\n", "UNSUB 1 2 3\r\n",
        "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n", "CONNECT {x\r\n"}) {
    EXPECT_EQ(Fatal(what), "") << what;
  }
}

TEST_F(ProtocolTest, MalformedHeaderSizesEndTheConnection) {
  for (const char* what :
       {"HPUB a 13 12\r\n", "HPUB a 1\r\n", "HPUB a x 12\r\n", "HPUB a -1 2\r\n"}) {
    Wire wire = server_.Client(kHeaders);
    wire.Send(what);
    EXPECT_EQ(wire.Rest(), "") << what;
  }
}

TEST_F(ProtocolTest, APayloadEndsWhereItWasSaidToEnd) {
  EXPECT_THAT(Fatal("PUB a 2\r\nhello\r\n"), HasSubstr("-ERR"));
}

TEST_F(ProtocolTest, APayloadThatIsTooLargeIsRefusedUnseen) {
  EXPECT_EQ(Fatal("PUB a 1048577\r\n"), "-ERR 'Maximum Payload Violation'\r\n");
  EXPECT_EQ(Fatal("PUB a 999999999\r\n"), "-ERR 'Maximum Payload Violation'\r\n");
}

TEST_F(ProtocolTest, ALineThatIsTooLongIsRefused) {
  const std::string endless(5000, 'x');
  EXPECT_EQ(Fatal("SUB " + endless + " 1\r\n"), "-ERR 'maximum control line exceeded'\r\n");
  EXPECT_EQ(Fatal("PUB " + endless), "-ERR 'maximum control line exceeded'\r\n");
}

TEST_F(ProtocolTest, ConnectIsChecked) {
  Wire newer = server_.Stranger();
  newer.Send("CONNECT {\"protocol\":2}\r\n");
  EXPECT_EQ(newer.Rest(), "-ERR 'invalid client protocol'\r\n");
  Wire bare = server_.Stranger();
  bare.Send("CONNECT {\"no_responders\":true,\"verbose\":false}\r\n");
  EXPECT_EQ(bare.Rest(), "-ERR 'no responders requires headers support'\r\n");
  Wire account = server_.Stranger();
  account.Send("CONNECT {\"account\":\"x\",\"verbose\":false}\r\n");
  EXPECT_EQ(account.Rest(), "-ERR 'Authorization Violation'\r\n");
}

TEST_F(ProtocolTest, ASecondConnectChangesTheOptions) {
  Wire wire = server_.Client();
  wire.Send("CONNECT {\"verbose\":true,\"pedantic\":false}\r\nSUB a 1\r\n");
  EXPECT_EQ(wire.Sync(), "+OK\r\n+OK\r\n");
}

TEST_F(ProtocolTest, OddWordsOfServersAreIgnored) {
  Wire wire = server_.Client();
  wire.Send("+OK\r\nINFO {}\r\nPONG\r\n");
  EXPECT_EQ(wire.Sync(), "");
  EXPECT_EQ(Fatal("-ERR 'x'\r\n"), "");
}

TEST(VerboseTest, IsTheDefaultAndConfirmsEverything) {
  const ServerProcess server;
  Wire wire = server.Stranger();
  wire.Send("CONNECT {}\r\nSUB foo 1\r\nPUB foo 2\r\nok\r\nUNSUB 1\r\nUNSUB 1\r\n");
  EXPECT_EQ(wire.Sync(), "+OK\r\n+OK\r\n+OK\r\nMSG foo 1 2\r\nok\r\n+OK\r\n+OK\r\n");
}

TEST(PedanticTest, APublishedWildcardIsAnErrorAndRoutedAllTheSame) {
  const ServerProcess server;
  Wire wire = server.Client(R"({"verbose":false,"pedantic":true})");
  wire.Send("SUB foo.* 1\r\nPUB foo.* 2\r\nhi\r\n");
  EXPECT_EQ(wire.Sync(), "-ERR 'Invalid Publish Subject'\r\nMSG foo.* 1 2\r\nhi\r\n");
  wire.Send("PUB foo. 2\r\nhi\r\n");
  EXPECT_EQ(wire.Sync(), "-ERR 'Invalid Publish Subject'\r\n");
}

TEST(LimitsTest, AreThoseOfTheConfiguration) {
  const ServerProcess server(
      "max_payload: 10\nmax_subscriptions: 2\nmax_connections: 3\nmax_control_line: 64\n");
  Wire first = server.Client();
  first.Send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nPUB c 0\r\n\r\n");
  EXPECT_EQ(first.Sync(), "-ERR 'maximum subscriptions exceeded'\r\n");
  Wire second = server.Client();
  EXPECT_EQ(nlohmann::json::parse(second.info())["max_payload"], 10);
  second.Send("PUB a 11\r\n");
  EXPECT_EQ(second.Rest(), "-ERR 'Maximum Payload Violation'\r\n");
  Wire third = server.Client(R"({"verbose":false})");
  third.Send("SUB " + std::string(70, 'x') + " 1\r\n");
  EXPECT_EQ(third.Rest(), "-ERR 'maximum control line exceeded'\r\n");
}

TEST(LimitsTest, OneConnectionTooManyIsTold) {
  const ServerProcess server("max_connections: 2\n");
  Wire first = server.Client();
  Wire second = server.Client();
  Wire third = server.Stranger();
  EXPECT_EQ(third.Rest(), "-ERR 'maximum connections exceeded'\r\n");
  EXPECT_EQ(first.Sync() + second.Sync(), "");
}

}  // namespace
}  // namespace micro::natsd::testing
