#include <thread>

#include "fleet.h"
#include "http2_peer.h"
#include "web/http_peer.h"

// One port for everyone: what a connection speaks is told from its first bytes.
namespace micro::e2e {
namespace {

using ::testing::HasSubstr;

const std::string kJson = "Content-Type: application/json\r\n";
const std::string kCall = "/testee.Test/Call";

class PortTest : public GrpcFleetTest {
 protected:
  Service& Serve1(Duration patience = 10s, StringList origins = {}) {
    ServiceOptions options = Options();
    options.handshake_timeout = patience;
    options.cors_origins = std::move(origins);
    return Serve(Blocking(Echo), std::move(options));
  }
  std::string address() const { return services_[0]->address(); }
};

TEST_F(PortTest, CallersOfAllKindsAreServedAtOnce) {
  Serve1();
  HttpPeer http(address());
  Http2Peer http2(Socket::Dial(address()), Http2Peer::Role::kClient);
  EXPECT_TRUE(Call(Named("John")));
  EXPECT_EQ(http.Ask("POST", kCall, kJson, "{}").status, 200);
  EXPECT_EQ(
      http2
          .Finish(http2.Request(
              {{":method", "GET"}, {":scheme", "http"}, {":path", "/healthz"}, {":authority", "x"}},
              ""))
          .body,
      "ok\n");
  EXPECT_TRUE(Call(Named("John")));
  EXPECT_EQ(http.Ask("POST", kCall, kJson, "{}").status, 200);
}

TEST_F(PortTest, APrefaceMayComeByteByByte) {
  Serve1();
  Socket socket = Socket::Dial(address());
  const std::string bytes = HttpRequest("POST", kCall, kJson, R"({"name":"John"})");
  for (const char byte : bytes) ASSERT_TRUE(socket.Send({&byte, 1}));
  std::string answer;
  while (answer.find("Hello John") == std::string::npos) {
    const std::string came = socket.Receive();
    ASSERT_FALSE(came.empty());
    answer += came;
  }
}

TEST_F(PortTest, TlsIsToldToTheLog) {
  Serve1();
  Socket socket = Socket::Dial(address());
  socket.Send(std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11));
  EXPECT_TRUE(socket.WaitClosed());
  EXPECT_TRUE(Eventually([&] {
    return log_->Has(LogLevel::kWarn, "it speaks TLS, and there is no TLS on this port");
  }));
}

TEST_F(PortTest, WhatSpeaksNothingKnownIsClosed) {
  Serve1();
  for (const std::string& bytes : {std::string("\0", 1), std::string("hello\n"),
                                   std::string("\x16\x02"), std::string("\r\n\r\n")}) {
    Socket socket = Socket::Dial(address());
    socket.Send(bytes);
    EXPECT_TRUE(socket.WaitClosed());
  }
  EXPECT_TRUE(Eventually(
      [&] { return log_->Has(LogLevel::kWarn, "it speaks neither HTTP/2 nor HTTP/1.1"); }));
}

TEST_F(PortTest, WhoDoesNotSayWhatHeSpeaksIsNotWaitedFor) {
  Serve1(50ms);
  for (const std::string bytes : {"", "PRI * HTTP/2.0\r\n", "\x16"}) {
    Socket socket = Socket::Dial(address());
    socket.Send(bytes);
    EXPECT_TRUE(socket.WaitClosed());
  }
  EXPECT_TRUE(Eventually(
      [&] { return log_->Has(LogLevel::kWarn, "it did not say in time what it speaks"); }));
  HttpPeer slow(address());
  slow.Send("GET /healthz HT");
  EXPECT_EQ(slow.Receive().status, 408);
  EXPECT_TRUE(slow.socket().WaitClosed());
}

TEST_F(PortTest, ManyWhoSayNothingKeepNobodyOut) {
  Serve1();
  std::vector<Socket> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(Socket::Dial(address()));
  EXPECT_TRUE(Call(Named("John")));
  EXPECT_EQ(HttpPeer(address()).Ask("GET", "/healthz").status, 200);
}

TEST_F(PortTest, HealthIsOkWhileServing) {
  Serve1();
  const HttpAnswer answer = HttpPeer(address()).Ask("GET", "/healthz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Get("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.body, "ok\n");
  EXPECT_EQ(HttpPeer(address()).Ask("GET", "/healthz?verbose=1").body, "ok\n");
  const HttpAnswer head = HttpPeer(address()).Ask("HEAD", "/healthz");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Get("content-length"), "3");
  EXPECT_EQ(HttpPeer(address()).Ask("GET", "/nothing").status, 404);
  EXPECT_EQ(HttpPeer(address()).Ask("DELETE", "/healthz").status, 405);
}

TEST_F(PortTest, HealthIsDrainingOnceStopHasBegun) {
  const Gate gate;
  Service& service = Serve(Blocking([gate](Context& context, const Request& request) {
    if (request.name() == "wait") gate.Wait();
    return Echo(context, request);
  }));
  HttpPeer waiting(address());
  HttpPeer probe(address());
  waiting.Send(HttpRequest("POST", kCall, kJson, R"({"name":"wait"})"));
  EXPECT_EQ(probe.Ask("GET", "/healthz").status, 200);
  probe.Send("GET /healthz HTTP/1.1\r\nHo");
  HttpPeer late(address());
  late.Send("GET /hea");
  std::jthread stopping([&] { service.Stop(); });
  EXPECT_TRUE(Eventually([&] { return !Socket::Dial(service.address()).connected(); }));
  probe.Send("st: x\r\n\r\n");
  const HttpAnswer answer = probe.Receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "draining\n");
  EXPECT_EQ(answer.Get("connection"), "close");
  late.Send("lthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(late.Receive().status, 503);
  gate.Open();
  EXPECT_EQ(waiting.Receive().body, R"({"text":"Hello wait"})");
  EXPECT_TRUE(waiting.socket().WaitClosed());
}

// --- browsers
// -------------------------------------------------------------------------------------

const std::string kOrigin = "Origin: http://a.test\r\n";
const std::string kPreflight = kOrigin +
                               "Access-Control-Request-Method: POST\r\n"
                               "Access-Control-Request-Headers: content-type,x-user\r\n";

TEST_F(PortTest, NoPageMayCallUnlessAllowed) {
  Serve1();
  const HttpAnswer preflight = HttpPeer(address()).Ask("OPTIONS", kCall, kPreflight);
  EXPECT_EQ(preflight.status, 204);
  EXPECT_FALSE(preflight.Has("access-control-allow-origin"));
  EXPECT_FALSE(preflight.Has("access-control-allow-headers"));
  const HttpAnswer answer = HttpPeer(address()).Ask("POST", kCall, kJson + kOrigin, "{}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.Has("access-control-allow-origin"));
}

TEST_F(PortTest, PagesOfAllowedOriginsMayCall) {
  Serve1(10s, {"http://b.test", "http://a.test"});
  const HttpAnswer preflight = HttpPeer(address()).Ask("OPTIONS", kCall, kPreflight);
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.Get("access-control-allow-origin"), "http://a.test");
  EXPECT_EQ(preflight.Get("access-control-allow-methods"), "GET, POST");
  EXPECT_EQ(preflight.Get("access-control-allow-headers"), "content-type,x-user");
  EXPECT_EQ(preflight.Get("access-control-max-age"), "7200");
  EXPECT_THAT(preflight.Get("vary"), HasSubstr("origin"));
  const HttpAnswer answer = HttpPeer(address()).Ask("POST", kCall, kJson + kOrigin, "{}");
  EXPECT_EQ(answer.Get("access-control-allow-origin"), "http://a.test");
  EXPECT_EQ(answer.Get("vary"), "origin");
  EXPECT_THAT(answer.Get("access-control-expose-headers"), HasSubstr("grpc-status"));
  const HttpAnswer other =
      HttpPeer(address()).Ask("POST", kCall, kJson + "Origin: http://evil.test\r\n", "{}");
  EXPECT_FALSE(other.Has("access-control-allow-origin"));
  EXPECT_EQ(other.Get("vary"), "origin");
}

TEST_F(PortTest, AllPagesMayCallWhereAllAreAllowed) {
  Serve1(10s, {"*"});
  const HttpAnswer answer = HttpPeer(address()).Ask("POST", kCall, kJson + kOrigin, "{}");
  EXPECT_EQ(answer.Get("access-control-allow-origin"), "*");
  EXPECT_FALSE(answer.Has("access-control-allow-credentials"));
}

TEST_F(PortTest, PagesSeeTheMetadataOfAnswersAndErrors) {
  ServiceOptions options = Options();
  options.cors_origins = {"*"};
  Serve(Blocking([](Context& context, const Request&) -> Reply {
          context.response_metadata().Add("x-back", "a");
          context.trailers().Add("x-cost", "7");
          return Aborted("why");
        }),
        std::move(options));
  const HttpAnswer error = HttpPeer(address()).Ask("POST", kCall, kJson + kOrigin, "{}");
  EXPECT_EQ(error.status, 409);
  EXPECT_EQ(error.Get("access-control-allow-origin"), "*");
  EXPECT_THAT(error.Get("access-control-expose-headers"), HasSubstr("x-back, trailer-x-cost"));
}

TEST_F(PortTest, OptionsTellsWhatIsAllowed) {
  Serve1();
  EXPECT_EQ(HttpPeer(address()).Ask("OPTIONS", kCall).Get("allow"), "POST, OPTIONS");
  EXPECT_EQ(HttpPeer(address()).Ask("OPTIONS", "*").status, 204);
}

}  // namespace
}  // namespace micro::e2e
