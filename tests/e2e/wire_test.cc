#include <thread>

#include "fleet.h"
#include "http2_peer.h"

// What goes over the wire, against peers that are not ours: a go-micro v2.2 client as it was
// recorded, and a server that only writes down what comes.
namespace micro::e2e {
namespace {

using ::testing::MatchesRegex;

const std::string kJohn("\x0a\x04john", 6);
const std::string kHelloJohn("\x0a\x0aHello john", 12);

// The headers that go-micro v2.2.0 sends with a unary call.
HeaderList GoHeaders(const std::string& path) {
  return {{":method", "POST"},
          {":scheme", "http"},
          {":path", path},
          {":authority", "127.0.0.1"},
          {"content-type", "application/grpc+proto"},
          {"user-agent", "grpc-go/1.26.0"},
          {"te", "trailers"},
          {"grpc-timeout", "4998713u"},
          {"timeout", "5000000000"},
          {"x-content-type", "application/grpc+proto"},
          {"micro-from-service", "go.micro.srv.me"},
          {"micro-trace-id", "6f5a0b60-4c44-4c54-9d2c-1b3e6f2f0f00"},
          {"micro-span-id", "6f5a0b60-4c44-4c54-9d2c-1b3e6f2f0f01"}};
}

HeaderList With(HeaderList headers, const std::string& name, const std::string& value) {
  for (auto& header : headers) {
    if (header.first == name) {
      header.second = value;
      return headers;
    }
  }
  headers.emplace_back(name, value);
  return headers;
}

class GoClientTest : public GrpcFleetTest {
 protected:
  Incoming Send(const HeaderList& headers, std::string_view message) {
    Http2Peer peer(Socket::Dial(services_.back()->address()), Http2Peer::Role::kClient);
    return peer.Finish(peer.Request(headers, GrpcFrame(message)));
  }
};

void ExpectHelloJohn(const Incoming& answer, const std::string& content_type) {
  EXPECT_EQ(answer.Get(":status"), "200");
  EXPECT_EQ(answer.Get("content-type"), content_type);
  EXPECT_EQ(answer.Get("grpc-status"), "0");
  EXPECT_FALSE(answer.Has("grpc-message"));
  EXPECT_EQ(answer.error, NGHTTP2_NO_ERROR);
}

TEST_F(GoClientTest, IsServedUnderAnyPrefix) {
  Serve(Blocking(Echo));
  for (const std::string path :
       {"/go.micro.srv.test.Test/Call", "/Test/Call", "/testee.Test/Call"}) {
    const Incoming answer = Send(GoHeaders(path), kJohn);
    ExpectHelloJohn(answer, "application/grpc+proto");
    EXPECT_EQ(answer.body, GrpcFrame(kHelloJohn)) << path;
  }
}

TEST_F(GoClientTest, ItsHeadersAreMetadataButNotThoseOfTheCallItself) {
  Metadata seen;
  Serve(Blocking([&](Context& context, const Request&) -> Reply {
    seen = context.metadata();
    return Response();
  }));
  Send(GoHeaders("/Test/Call"), kJohn);
  EXPECT_EQ(seen.Get("micro-from-service"), "go.micro.srv.me");
  EXPECT_EQ(seen.Get("micro-trace-id"), "6f5a0b60-4c44-4c54-9d2c-1b3e6f2f0f00");
  EXPECT_EQ(seen.Get("user-agent"), "grpc-go/1.26.0");
  EXPECT_FALSE(seen.Has("timeout"));
  EXPECT_FALSE(seen.Has("x-content-type"));
  EXPECT_FALSE(seen.Has("grpc-timeout"));
  EXPECT_FALSE(seen.Has("te"));
}

TEST_F(GoClientTest, TheEarlierOfItsTwoDeadlinesCounts) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    return Text(context.remaining() <= 3s ? "3 s" : "more");
  }));
  const HeaderList both = With(GoHeaders("/Test/Call"), "timeout", "3000000000");
  EXPECT_NE(Send(both, kJohn).body.find("3 s"), std::string::npos);
  for (const std::string odd : {"3s", "-3000000000", "", "3000000000, 3000000000"}) {
    const Incoming answer = Send(With(both, "timeout", odd), kJohn);
    EXPECT_NE(answer.body.find("more"), std::string::npos) << odd;
  }
}

TEST_F(GoClientTest, JsonIsAnsweredInJson) {
  Serve(Blocking(Echo));
  HeaderList headers = With(GoHeaders("/Test/Call"), "content-type", "application/grpc+json");
  headers = With(headers, "x-content-type", "application/json");
  const Incoming answer = Send(headers, R"({"name":"john","bigNumber":"7"})");
  ExpectHelloJohn(answer, "application/grpc+json");
  EXPECT_EQ(answer.body, GrpcFrame(R"({"text":"Hello john","big_number":"7"})"));
}

TEST_F(GoClientTest, NullIsAnEmptyMessage) {
  Serve(Blocking(Echo));
  const HeaderList headers = With(GoHeaders("/Test/Call"), "content-type", "application/grpc+json");
  EXPECT_EQ(Send(headers, "null").body, GrpcFrame(R"({"text":"Hello "})"));
  EXPECT_EQ(Send(headers, "").body, GrpcFrame(R"({"text":"Hello "})"));
}

TEST_F(GoClientTest, ALabelThatLiesIsSeenThrough) {
  Serve(Blocking(Echo));
  const HeaderList json = With(GoHeaders("/Test/Call"), "content-type", "application/grpc+json");
  const Incoming proto_answer = Send(json, kJohn);
  ExpectHelloJohn(proto_answer, "application/grpc+proto");
  EXPECT_EQ(proto_answer.body, GrpcFrame(kHelloJohn));
  const Incoming json_answer = Send(GoHeaders("/Test/Call"), R"({"name":"john"})");
  ExpectHelloJohn(json_answer, "application/grpc+json");
  EXPECT_EQ(json_answer.body, GrpcFrame(R"({"text":"Hello john"})"));
}

TEST_F(GoClientTest, WithoutASubTypeTheLabelBesideItCounts) {
  Serve(Blocking(Echo));
  HeaderList headers = With(GoHeaders("/Test/Call"), "content-type", "application/grpc");
  EXPECT_EQ(Send(headers, kJohn).body, GrpcFrame(kHelloJohn));
  headers = With(headers, "x-content-type", "application/json");
  EXPECT_EQ(Send(headers, R"({"name":"john"})").body, GrpcFrame(R"({"text":"Hello john"})"));
}

TEST_F(GoClientTest, ReadsErrorsAsItsOwn) {
  ServiceOptions options = Options("go.micro.srv.test");
  Serve(Blocking([](Context&, const Request&) -> Reply { return InvalidArgument("bad thing 7"); }),
        std::move(options));
  const Incoming answer = Send(GoHeaders("/go.micro.srv.test.Test/Call"), kJohn);
  EXPECT_EQ(answer.Get(":status"), "200");
  EXPECT_EQ(answer.Get("grpc-status"), "3");
  EXPECT_EQ(
      answer.Get("grpc-message"),
      R"({"id":"go.micro.srv.test","code":400,"detail":"bad thing 7","status":"Bad Request"})");
  EXPECT_EQ(
      answer.Get("grpc-status-details-bin"),
      "CAMSU3siaWQiOiJnby5taWNyby5zcnYudGVzdCIsImNvZGUiOjQwMCwiZGV0YWlsIjoiYmFkIHRoaW5nIDciLCJz"
      "dGF0dXMiOiJCYWQgUmVxdWVzdCJ9GlQKIHR5cGUuZ29vZ2xlYXBpcy5jb20vZXJyb3JzLkVycm9yEjAKEWdvLm1p"
      "Y3JvLnNydi50ZXN0EJADGgtiYWQgdGhpbmcgNyILQmFkIFJlcXVlc3Q");
}

TEST_F(GoClientTest, OthersReadErrorsAsText) {
  Serve(
      Blocking([](Context&, const Request&) -> Reply { return InvalidArgument("bad \xc3\xbc"); }));
  HeaderList headers = GoHeaders("/testee.Test/Call");
  std::erase_if(headers, [](const auto& header) { return header.first == "x-content-type"; });
  const Incoming answer = Send(headers, kJohn);
  EXPECT_EQ(answer.Get("grpc-status"), "3");
  EXPECT_EQ(answer.Get("grpc-message"), "bad %C3%BC");
  EXPECT_TRUE(answer.Has("grpc-status-details-bin"));
}

TEST_F(GoClientTest, IsNotKeptWaitingForItsHalfClose) {
  Serve(Blocking(Echo));
  Http2Peer peer(Socket::Dial(services_[0]->address()), Http2Peer::Role::kClient);
  const auto stream = peer.Request(GoHeaders("/Test/Call"), GrpcFrame(kJohn), false);
  ExpectHelloJohn(peer.Finish(stream), "application/grpc+proto");
}

TEST_F(GoClientTest, UnknownsAreUnimplementedInItsWords) {
  Serve(Blocking(Echo));
  const Incoming service = Send(GoHeaders("/a.Nobody/Call"), kJohn);
  EXPECT_EQ(service.Get("grpc-status"), "12");
  EXPECT_NE(service.Get("grpc-message").find("unknown service Nobody"), std::string::npos);
  const Incoming method = Send(GoHeaders("/a.Test/Nothing"), kJohn);
  EXPECT_EQ(method.Get("grpc-status"), "12");
  EXPECT_NE(method.Get("grpc-message").find("unknown service Test.Nothing"), std::string::npos);
  const Incoming malformed = Send(GoHeaders("/a/b/c"), kJohn);
  EXPECT_EQ(malformed.Get("grpc-status"), "3");
}

// A server that is not ours, for one call of our client's.
class StrangeServerTest : public GrpcFleetTest {
 protected:
  using Act = std::function<void(Http2Peer& peer, std::int32_t stream)>;

  // Makes the call; `act` runs once its request is complete.
  Reply CallStranger(CallOptions options, const Act& act) {
    caller_options_.name = "go.micro.srv.me";
    const std::string address = port_.address();
    options.addresses = {&address, 1};
    caller();
    Reply reply;
    std::jthread calling([&] { reply = Call(Named("john"), options); });
    Http2Peer peer(port_.Accept(), Http2Peer::Role::kServer);
    EXPECT_TRUE(peer.RunUntil([&] { return peer.streams()[1].ended; }));
    act(peer, 1);
    calling.join();
    request_ = peer.streams()[1];
    return reply;
  }

  Reply Answered(const HeaderList& headers, const std::string& body, const HeaderList& trailers) {
    return CallStranger({}, [&](Http2Peer& peer, std::int32_t stream) {
      peer.Answer(stream, headers, body, trailers);
    });
  }

  static HeaderList Head() {
    return {{":status", "200"}, {"content-type", "application/grpc+proto"}};
  }

  Reply AnsweredWith(const HeaderList& trailers) { return Answered(Head(), "", trailers); }

  ListeningSocket port_;
  Incoming request_;
};

TEST_F(StrangeServerTest, SeesARequestAsGoMicroSendsIt) {
  const Metadata metadata = {{"X-User", "ann"}, {"x-raw-bin", "\xff"}};
  const Reply reply = CallStranger(
      {.timeout = 5s, .metadata = &metadata}, [](Http2Peer& peer, std::int32_t stream) {
        peer.Answer(stream, Head(), GrpcFrame(kHelloJohn), {{"grpc-status", "0"}});
      });
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->text(), "Hello john");
  EXPECT_EQ(request_.Get(":method"), "POST");
  EXPECT_EQ(request_.Get(":scheme"), "http");
  EXPECT_EQ(request_.Get(":path"), "/testee.Test/Call");
  EXPECT_EQ(request_.Get(":authority"), port_.address());
  EXPECT_EQ(request_.Get("content-type"), "application/grpc+proto");
  EXPECT_EQ(request_.Get("te"), "trailers");
  EXPECT_THAT(request_.Get("grpc-timeout"), MatchesRegex("[0-9]{7}u"));
  EXPECT_EQ(request_.Get("timeout"), "5000000000");
  EXPECT_EQ(request_.Get("x-content-type"), "application/grpc+proto");
  EXPECT_EQ(request_.Get("micro-from-service"), "go.micro.srv.me");
  EXPECT_EQ(request_.Get("x-user"), "ann");
  EXPECT_EQ(request_.Get("x-raw-bin"), "/w");
  EXPECT_EQ(request_.body, std::string("\0\0\0\0\x06", 5) + kJohn);
}

TEST_F(StrangeServerTest, SeesTheContentTypeThatWasAskedFor) {
  CallStranger({.content_type = "application/json"}, [](Http2Peer& peer, std::int32_t stream) {
    peer.Answer(stream, {{":status", "200"}, {"content-type", "application/grpc+json"}},
                GrpcFrame("{}"), {{"grpc-status", "0"}});
  });
  EXPECT_EQ(request_.Get("content-type"), "application/grpc+json");
  EXPECT_EQ(request_.Get("x-content-type"), "application/json");
  EXPECT_EQ(request_.body, GrpcFrame(R"({"name":"john"})"));
}

TEST_F(StrangeServerTest, ErrorsOfOtherGrpcServersAreRead) {
  const Reply reply = AnsweredWith({{"grpc-status", "5"}, {"grpc-message", "no%20such%20thing"}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kNotFound);
  EXPECT_EQ(reply.error().detail(), "no such thing");
  EXPECT_EQ(reply.error().phase(), Phase::kRemote);
}

TEST_F(StrangeServerTest, AResetIsACancellation) {
  const Reply reply = CallStranger({}, [](Http2Peer& peer, std::int32_t stream) {
    peer.Reset(stream);
    EXPECT_TRUE(peer.Flush());
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kCancelled);
}

// As grpc-go's servers do, sometimes ahead of our own timer.
TEST_F(StrangeServerTest, AResetAfterTheDeadlineIsTheDeadlines) {
  Runtime& runtime = caller().runtime();
  const Reply reply =
      CallStranger({.timeout = 50ms}, [&runtime](Http2Peer& peer, std::int32_t stream) {
        for (std::size_t i = 0; i < runtime.loops(); ++i) {
          runtime.loop(i).Post([] { std::this_thread::sleep_for(100ms); });
        }
        peer.Reset(stream);
        EXPECT_TRUE(peer.Flush());
      });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
}

TEST_F(StrangeServerTest, CodesThatDoNotExistAreUnknown) {
  for (const std::string code : {"17", "-1", "x"}) {
    const Reply reply = AnsweredWith({{"grpc-status", code}});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), Code::kUnknown) << code;
    caller_.reset();
  }
}

TEST_F(StrangeServerTest, AnswersThatAreNoGrpcAreErrors) {
  const HeaderList html = {{":status", "200"}, {"content-type", "text/html"}};
  const HeaderList busy = {{":status", "503"}, {"content-type", "text/html"}};
  const HeaderList missing = {{":status", "404"}};
  for (const auto& [headers, code] :
       {std::pair(html, Code::kUnknown), std::pair(busy, Code::kUnavailable),
        std::pair(missing, Code::kUnimplemented)}) {
    const Reply reply = Answered(headers, "<html>", {});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), code) << reply.error().ToString();
    caller_.reset();
  }
}

TEST_F(StrangeServerTest, AnswersThatBreakOffAreErrors) {
  const Reply within = Answered(Head(), std::string(2, 0), {{"grpc-status", "0"}});
  EXPECT_FALSE(within);
  caller_.reset();
  const Reply without_status = Answered(Head(), GrpcFrame(kHelloJohn), {});
  ASSERT_FALSE(without_status);
  EXPECT_EQ(without_status.error().code(), Code::kInternal);
  caller_.reset();
  const Reply without_message = AnsweredWith({{"grpc-status", "0"}});
  ASSERT_FALSE(without_message);
  EXPECT_EQ(without_message.error().code(), Code::kInternal);
}

TEST_F(StrangeServerTest, AnswersThatCannotBeReadAreErrors) {
  const Reply reply = Answered(Head(), GrpcFrame("\x0a\x09short"), {{"grpc-status", "0"}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kInternal);
  EXPECT_EQ(reply.error().phase(), Phase::kRemote);
}

TEST_F(StrangeServerTest, TwoAnswersToAUnaryCallAreAnError) {
  const std::string twice = GrpcFrame(kHelloJohn) + GrpcFrame(kHelloJohn);
  const Reply reply = Answered(Head(), twice, {{"grpc-status", "0"}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kInternal);
}

TEST_F(StrangeServerTest, AResetIsAnErrorThatSaysSo) {
  for (const auto& [error, code] : {std::pair(NGHTTP2_CANCEL, Code::kCancelled),
                                    std::pair(NGHTTP2_ENHANCE_YOUR_CALM, Code::kResourceExhausted),
                                    std::pair(NGHTTP2_INTERNAL_ERROR, Code::kInternal)}) {
    const Reply reply = CallStranger({}, [&](Http2Peer& peer, std::int32_t stream) {
      peer.Reset(stream, error);
      peer.Flush();
    });
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), code);
    EXPECT_EQ(reply.error().phase(), Phase::kSend);
    caller_.reset();
  }
}

TEST_F(StrangeServerTest, ALostConnectionIsUnavailable) {
  const Reply reply =
      CallStranger({}, [](Http2Peer& peer, std::int32_t) { peer.socket().Abort(); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kUnavailable);
  EXPECT_EQ(reply.error().phase(), Phase::kSend);
}

TEST_F(StrangeServerTest, ARefusedStreamGoesToAnotherNode) {
  Service& other = Serve(Blocking(Echo));
  caller_options_.selector = "round_robin";
  caller();
  Reply reply;
  CallInfo info;
  const std::vector<std::string> addresses = {port_.address(), other.address()};
  std::jthread calling(
      [&] { reply = Call(Named("john"), {.addresses = addresses, .info = &info}); });
  Http2Peer peer(port_.Accept(), Http2Peer::Role::kServer);
  EXPECT_TRUE(peer.RunUntil([&] { return peer.streams()[1].ended; }));
  peer.Reset(1, NGHTTP2_REFUSED_STREAM);
  peer.Flush();
  calling.join();
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(info.attempts, 2);
}

TEST_F(StrangeServerTest, ASilentOneCostsTheDeadlineOnly) {
  bool reset = false;
  const Reply reply = CallStranger({.timeout = 50ms}, [&](Http2Peer& peer, std::int32_t stream) {
    reset = peer.RunUntil([&] { return peer.streams()[stream].error.has_value(); });
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
  EXPECT_NE(reply.error().detail().find("the call's own deadline"), std::string::npos);
  EXPECT_TRUE(reset);
}

}  // namespace
}  // namespace micro::e2e
