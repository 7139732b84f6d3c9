#include <thread>

#include <zlib.h>

#include "fleet.h"
#include "http2_peer.h"
#include "web/http_peer.h"

// The Connect protocol, unary: calls by plain HTTP.
namespace micro::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

const std::string kJson = "Content-Type: application/json\r\n";
const std::string kCall = "/testee.Test/Call";
const std::string kLook = "/testee.Test/Look";

class ConnectTest : public GrpcFleetTest {
 protected:
  HttpAnswer Ask(const std::string& method, const std::string& target,
                 const std::string& lines = "", const std::string& body = "") {
    if (services_.empty()) Serve(Blocking(Echo));
    return HttpPeer(services_[0]->address()).Ask(method, target, lines, body);
  }
  HttpAnswer Post(const std::string& body, const std::string& lines = "") {
    return Ask("POST", kCall, kJson + lines, body);
  }
  HttpAnswer Fails(Error error) {
    services_.clear();
    Serve(Blocking([&](Context&, const Request&) -> Reply { return std::unexpected(error); }));
    return Post("{}");
  }
};

TEST_F(ConnectTest, JsonIsAnsweredInJson) {
  const HttpAnswer answer = Post(R"({"name":"John"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Get("content-type"), "application/json");
  EXPECT_EQ(answer.Get("content-length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.body, R"({"text":"Hello John"})");
}

TEST_F(ConnectTest, ProtoIsAnsweredInProto) {
  const HttpAnswer answer =
      Ask("POST", kCall, "Content-Type: application/proto\r\n", Named("John").SerializeAsString());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Get("content-type"), "application/proto");
  Response response;
  ASSERT_TRUE(response.ParseFromString(answer.body));
  EXPECT_EQ(response.text(), "Hello John");
}

TEST_F(ConnectTest, ContentTypesMayHaveParametersAndAnyCase) {
  const HttpAnswer answer =
      Ask("POST", kCall, "content-type: Application/JSON; charset=utf-8\r\n", R"({"name":"J"})");
  EXPECT_EQ(answer.body, R"({"text":"Hello J"})");
}

TEST_F(ConnectTest, AnEmptyBodyIsAnEmptyMessage) {
  EXPECT_EQ(Post("").body, R"({"text":"Hello "})");
}

TEST_F(ConnectTest, ComesByHttp2AsWell) {
  Serve(Blocking(Echo));
  Http2Peer peer(Socket::Dial(services_[0]->address()), Http2Peer::Role::kClient);
  const HeaderList headers = {{":method", "POST"},
                              {":scheme", "http"},
                              {":path", kCall},
                              {":authority", "x"},
                              {"content-type", "application/json"}};
  const Incoming& answer = peer.Finish(peer.Request(headers, R"({"name":"John"})"));
  EXPECT_EQ(answer.Get(":status"), "200");
  EXPECT_EQ(answer.Get("content-type"), "application/json");
  EXPECT_EQ(answer.body, R"({"text":"Hello John"})");
  EXPECT_EQ(answer.error, NGHTTP2_NO_ERROR);
}

TEST_F(ConnectTest, MayBeCalledByGoMicrosPaths) {
  EXPECT_EQ(Ask("POST", "/go.micro.srv.test.Test/Call", kJson, "{}").status, 200);
  EXPECT_EQ(Ask("POST", "/Test/Call", kJson, "{}").status, 200);
}

TEST_F(ConnectTest, UnknownPathsAreNotFound) {
  for (const std::string path : {"/testee.Test/Nothing", "/testee.Nobody/Call", "/", "/a/b/c"}) {
    const HttpAnswer answer = Ask("POST", path, kJson, "{}");
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.Get("content-type"), "application/json");
    EXPECT_THAT(answer.body, StartsWith(R"({"code":"unimplemented",)"));
  }
}

TEST_F(ConnectTest, StreamsAreForOtherProtocols) {
  struct Streams final : testee::StreamsHandler {};
  Serve(std::make_shared<Streams>());
  const HttpAnswer answer = Ask("POST", "/testee.Streams/Expand", kJson, "{}");
  EXPECT_EQ(answer.status, 501);
  EXPECT_THAT(answer.body, HasSubstr("is a streaming method"));
}

TEST_F(ConnectTest, OtherContentTypesAreToldWhatIsUnderstood) {
  for (const std::string type :
       {"text/html", "application/x-www-form-urlencoded", "application/grpc", "application/xml"}) {
    const HttpAnswer answer = Ask("POST", kCall, "Content-Type: " + type + "\r\n", "{}");
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_THAT(answer.Get("accept-post"), HasSubstr("application/json, application/proto"));
  }
  EXPECT_EQ(Ask("POST", kCall, "", "{}").status, 415);
}

TEST_F(ConnectTest, OtherMethodsAreToldWhatIsAllowed) {
  for (const std::string method : {"PUT", "DELETE", "PATCH", "TRACE", "FOO"}) {
    const HttpAnswer answer = Ask(method, kCall, kJson, "{}");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.Get("allow"), "POST, OPTIONS");
  }
  EXPECT_EQ(Ask("GET", kCall).Get("allow"), "POST, OPTIONS");
  EXPECT_EQ(Ask("HEAD", kLook).Get("allow"), "GET, POST, OPTIONS");
}

TEST_F(ConnectTest, ErrorsAreJsonWithTheirDetailAsMessage) {
  const HttpAnswer answer = Fails(Error(Code::kNotFound, "no \"such\" thing"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.Get("content-type"), "application/json");
  EXPECT_THAT(
      answer.body,
      MatchesRegex(R"(\{"code":"not_found","message":"no \\"such\\" thing",)"
                   R"("details":\[\{"type":"errors.Error","value":"[A-Za-z0-9+/]+"\}\]\})"));
}

TEST_F(ConnectTest, EveryCodeHasItsNameAndItsStatus) {
  const std::vector<std::tuple<Code, std::string, int>> rows = {
      {Code::kCancelled, "canceled", 499},
      {Code::kUnknown, "unknown", 500},
      {Code::kInvalidArgument, "invalid_argument", 400},
      {Code::kDeadlineExceeded, "deadline_exceeded", 504},
      {Code::kNotFound, "not_found", 404},
      {Code::kAlreadyExists, "already_exists", 409},
      {Code::kPermissionDenied, "permission_denied", 403},
      {Code::kResourceExhausted, "resource_exhausted", 429},
      {Code::kFailedPrecondition, "failed_precondition", 400},
      {Code::kAborted, "aborted", 409},
      {Code::kOutOfRange, "out_of_range", 400},
      {Code::kUnimplemented, "unimplemented", 501},
      {Code::kInternal, "internal", 500},
      {Code::kUnavailable, "unavailable", 503},
      {Code::kDataLoss, "data_loss", 500},
      {Code::kUnauthenticated, "unauthenticated", 401}};
  for (const auto& [code, name, status] : rows) {
    const HttpAnswer answer = Fails(Error(code, "why"));
    EXPECT_EQ(answer.status, status) << name;
    EXPECT_THAT(answer.body, StartsWith("{\"code\":\"" + name + "\",\"message\":\"why\","));
  }
}

TEST_F(ConnectTest, WhatCannotBeReadIsInvalid) {
  for (const std::string body : {"{", "[]", R"({"nobody":1})", "\xff"}) {
    const HttpAnswer answer = Post(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, StartsWith(R"({"code":"invalid_argument")"));
  }
}

TEST_F(ConnectTest, MetadataGoesBothWays) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    context.response_metadata().Add("x-back", *context.metadata().Get("x-there"));
    context.response_metadata().Add("x-raw-bin", *context.metadata().Get("x-raw-bin"));
    context.trailers().Add("x-cost", "7");
    return Text(context.metadata().Has("connect-protocol-version") ? "seen" : "not seen");
  }));
  const HttpAnswer answer =
      Post("{}", "X-There: and back\r\nX-Raw-Bin: /w==\r\nConnect-Protocol-Version: 1\r\n");
  EXPECT_EQ(answer.Get("x-back"), "and back");
  EXPECT_EQ(answer.Get("x-raw-bin"), "/w");
  EXPECT_EQ(answer.Get("trailer-x-cost"), "7");
  EXPECT_EQ(answer.body, R"({"text":"not seen"})");
}

TEST_F(ConnectTest, MetadataCannotForgeAnAnswer) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    context.response_metadata().Add("x-bad", "a\r\nx-forged: b");
    context.response_metadata().Add("content-length", "1");
    context.response_metadata().Add("transfer-encoding", "chunked");
    return Text("all of it");
  }));
  const HttpAnswer answer = Post("{}");
  EXPECT_FALSE(answer.Has("x-bad"));
  EXPECT_FALSE(answer.Has("x-forged"));
  EXPECT_EQ(answer.body, R"({"text":"all of it"})");
}

TEST_F(ConnectTest, ErrorsCarryMetadataToo) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    context.response_metadata().Add("x-back", "a");
    context.trailers().Add("x-cost", "7");
    return Aborted("why");
  }));
  const HttpAnswer answer = Post("{}");
  EXPECT_EQ(answer.Get("x-back"), "a");
  EXPECT_EQ(answer.Get("trailer-x-cost"), "7");
}

TEST_F(ConnectTest, BadBase64IsInvalid) { EXPECT_EQ(Post("{}", "X-Raw-Bin: !!\r\n").status, 400); }

TEST_F(ConnectTest, OtherVersionsAreInvalid) {
  EXPECT_EQ(Post("{}", "Connect-Protocol-Version: 1\r\n").status, 200);
  EXPECT_EQ(Post("{}", "Connect-Protocol-Version: 2\r\n").status, 400);
}

TEST_F(ConnectTest, TheTimeoutIsTheCallsDeadline) {
  Serve(Blocking([](Context& context, const Request& request) -> Reply {
    if (request.name() == "wait") {
      while (!context.cancelled()) std::this_thread::sleep_for(1ms);
    }
    return Text(context.remaining() <= 3s ? "3 s" : "more");
  }));
  EXPECT_THAT(Post("{}", "Connect-Timeout-Ms: 3000\r\n").body, HasSubstr("3 s"));
  EXPECT_THAT(Post("{}").body, HasSubstr("more"));
  const HttpAnswer late = Post(R"({"name":"wait"})", "Connect-Timeout-Ms: 20\r\n");
  EXPECT_EQ(late.status, 504);
  EXPECT_THAT(late.body, StartsWith(R"({"code":"deadline_exceeded")"));
}

TEST_F(ConnectTest, BadTimeoutsAreInvalid) {
  for (const std::string timeout : {"", "-1", "1s", "1.5", "x", "12345678901", "1 2"}) {
    const HttpAnswer answer = Post("{}", "Connect-Timeout-Ms: " + timeout + "\r\n");
    EXPECT_EQ(answer.status, 400) << timeout;
    EXPECT_THAT(answer.body, StartsWith(R"({"code":"invalid_argument")"));
  }
  EXPECT_EQ(Post("{}", "Connect-Timeout-Ms: 9999999999\r\n").status, 200);
}

TEST_F(ConnectTest, MessagesOverTheLimitAreRefused) {
  ServiceOptions options = Options();
  options.max_message_size = 1000;
  Serve(Blocking(Echo), std::move(options));
  const std::string name(900, 'x');
  EXPECT_EQ(Post(R"({"name":")" + name + R"("})").status, 200);
  const HttpAnswer known = Post(R"({"name":")" + name + name + R"("})");
  EXPECT_EQ(known.status, 429);
  EXPECT_THAT(known.body, HasSubstr("--max_message_size"));
  HttpPeer peer(services_[0]->address());
  peer.Send("POST " + kCall + " HTTP/1.1\r\nHost: x\r\n" + kJson +
            "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) peer.Send("64\r\n" + std::string(100, ' ') + "\r\n");
  EXPECT_EQ(peer.Receive().status, 429);
  EXPECT_TRUE(peer.socket().WaitClosed());
}

TEST_F(ConnectTest, TheServerGoesOnAfterABodyThatIsTooLong) {
  EXPECT_EQ(Post(std::string(5U << 20U, ' ')).status, 429);
  EXPECT_EQ(Post("{}").status, 200);
}

TEST_F(ConnectTest, AGetCarriesItsMessageInTheQuery) {
  for (const std::string query :
       {"connect=v1&encoding=json&message=%7B%22name%22%3A%22John%22%7D",
        "message={%22name%22:%22John%22}&encoding=json",
        "connect=v1&encoding=json&base64=1&message=eyJuYW1lIjoiSm9obiJ9&unknown=x",
        "encoding=json&base64=1&message=eyJuYW1lIjoiSm9obiJ9&compression=identity"}) {
    const HttpAnswer answer = Ask("GET", kLook + "?" + query);
    EXPECT_EQ(answer.status, 200) << query;
    EXPECT_EQ(answer.Get("content-type"), "application/json");
    EXPECT_EQ(answer.body, R"({"text":"Hello John"})") << query;
  }
}

TEST_F(ConnectTest, AGetMayBeInProto) {
  const HttpAnswer answer = Ask("GET", kLook + "?encoding=proto&base64=1&message=CgRKb2hu");
  EXPECT_EQ(answer.Get("content-type"), "application/proto");
  EXPECT_THAT(answer.body, HasSubstr("Hello John"));
}

TEST_F(ConnectTest, AGetWithoutAGoodQueryIsInvalid) {
  const std::string query = kLook + "?encoding=json&message=%7B%7D";
  EXPECT_EQ(Ask("GET", query).status, 200);
  EXPECT_EQ(Ask("GET", query + "&connect=v2").status, 400);
  EXPECT_EQ(Ask("GET", kLook + "?encoding=json").status, 400);
  EXPECT_EQ(Ask("GET", kLook + "?encoding=json&base64=1&message=!!").status, 400);
  EXPECT_EQ(Ask("GET", kLook + "?encoding=json&message=x").status, 400);
  EXPECT_EQ(Ask("GET", query + "&compression=br").status, 501);
  EXPECT_EQ(Ask("GET", kLook + "?encoding=xml&message=x").status, 415);
  EXPECT_EQ(Ask("GET", kLook).status, 415);
}

TEST_F(ConnectTest, AGetCallsOnlyWhatHasNoSideEffects) {
  const HttpAnswer answer = Ask("GET", kCall + "?connect=v1&encoding=json&message=%7B%7D");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.Get("allow"), "POST, OPTIONS");
}

std::string Gzipped(const std::string& text) {
  std::string bytes(text.size() + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

TEST_F(ConnectTest, RequestsMayBeCompressed) {
  const std::string gzip = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(Post(Gzipped(R"({"name":"John"})"), gzip).body, R"({"text":"Hello John"})");
  EXPECT_EQ(Post("", gzip).body, R"({"text":"Hello "})");
  EXPECT_EQ(Post("{}", "Content-Encoding: identity\r\n").status, 200);
  EXPECT_EQ(Post("{}", gzip).status, 400);
  const HttpAnswer unknown = Post("{}", "Content-Encoding: br\r\n");
  EXPECT_EQ(unknown.status, 501);
  EXPECT_THAT(unknown.body, HasSubstr("known: gzip, identity"));
}

TEST_F(ConnectTest, ACompressedRequestIsBoundedByWhatComesOut) {
  const std::string bomb = Gzipped(std::string(5U << 20U, ' '));
  EXPECT_LT(bomb.size(), 10'000U);
  EXPECT_EQ(Post(bomb, "Content-Encoding: gzip\r\n").status, 429);
}

TEST_F(ConnectTest, LongAnswersAreCompressedForThoseWhoTakeThem) {
  const std::string request = R"({"name":")" + std::string(5000, 'x') + R"("})";
  EXPECT_FALSE(Post(request).Has("content-encoding"));
  EXPECT_FALSE(Post(request, "Accept-Encoding: br, gzip;q=0\r\n").Has("content-encoding"));
  for (const std::string accepted : {"gzip", "br, gzip", "deflate,gzip;q=0.5"}) {
    const HttpAnswer answer = Post(request, "Accept-Encoding: " + accepted + "\r\n");
    EXPECT_EQ(answer.Get("content-encoding"), "gzip") << accepted;
    EXPECT_LT(answer.body.size(), 200U);
  }
  EXPECT_FALSE(Post("{}", "Accept-Encoding: gzip\r\n").Has("content-encoding"));
}

TEST_F(ConnectTest, ACallerWhoLeavesIsCancelled) {
  std::atomic<int> entered = 0;
  std::atomic<int> cancelled = 0;
  Serve(Blocking([&](Context& context, const Request&) -> Reply {
    ++entered;
    while (!context.cancelled()) std::this_thread::sleep_for(1ms);
    ++cancelled;
    return Cancelled("");
  }));
  {
    HttpPeer peer(services_[0]->address());
    peer.Send(HttpRequest("POST", kCall, kJson, "{}"));
    ASSERT_TRUE(Eventually([&] { return entered == 1; }));
  }
  EXPECT_TRUE(Eventually([&] { return cancelled == 1; }));
}

}  // namespace
}  // namespace micro::e2e
