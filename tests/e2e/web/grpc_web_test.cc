#include <thread>

#include "fleet.h"
#include "http2_peer.h"
#include "web/http_peer.h"

// gRPC-Web, unary, by both versions of HTTP.
namespace micro::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kCall = "/testee.Test/Call";
const std::string kProto = "application/grpc-web+proto";

std::string Type(const std::string& type) { return "Content-Type: " + type + "\r\n"; }

// Frames: flags and bytes.
using Frames = std::vector<std::pair<int, std::string>>;
Frames Split(std::string_view body) {
  Frames frames;
  while (body.size() >= 5) {
    std::size_t size = 0;
    for (int i = 1; i < 5; ++i) size = size * 256 + static_cast<unsigned char>(body[i]);
    frames.emplace_back(static_cast<unsigned char>(body[0]), body.substr(5, size));
    body.remove_prefix(std::min(5 + size, body.size()));
  }
  if (!body.empty()) frames.emplace_back(-1, body);
  return frames;
}

class GrpcWebTest : public GrpcFleetTest {
 protected:
  HttpAnswer Post(const std::string& type, const std::string& body, const std::string& lines = "",
                  const std::string& path = kCall) {
    if (services_.empty()) Serve(Blocking(Echo));
    return HttpPeer(services_[0]->address()).Ask("POST", path, Type(type) + lines, body);
  }
  static std::string Message(const std::string& name) {
    return GrpcFrame(Named(name).SerializeAsString());
  }
  // The trailers of an answer that has nothing else.
  std::string Trailers(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 200);
    const Frames frames = Split(answer.body);
    EXPECT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames.back().first, 0x80);
    return frames.back().second;
  }
};

TEST_F(GrpcWebTest, AnswersWithTheMessageAndTheTrailers) {
  for (const std::string type : {"application/grpc-web+proto", "application/grpc-web"}) {
    const HttpAnswer answer = Post(type, Message("John"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.Get("content-type"), type);
    const Frames frames = Split(answer.body);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0], std::pair(0, Text("Hello John").SerializeAsString()));
    EXPECT_EQ(frames[1], std::pair(0x80, std::string("grpc-status: 0\r\n")));
  }
}

TEST_F(GrpcWebTest, MayBeInJson) {
  const HttpAnswer answer = Post("application/grpc-web+json", GrpcFrame(R"({"name":"John"})"));
  EXPECT_EQ(answer.Get("content-type"), "application/grpc-web+json");
  EXPECT_EQ(Split(answer.body)[0].second, R"({"text":"Hello John"})");
}

TEST_F(GrpcWebTest, MayBeInBase64) {
  const std::string type = "application/grpc-web-text+proto";
  const HttpAnswer answer = Post(type, "AAAAAAYKBEpvaG4=");
  EXPECT_EQ(answer.Get("content-type"), type);
  EXPECT_EQ(answer.body, "AAAAAAwKCkhlbGxvIEpvaG4=gAAAABBncnBjLXN0YXR1czogMA0K");
  const HttpAnswer pieces = Post(type, "AAAAAAY=CgRKb2hu");
  EXPECT_EQ(pieces.body, answer.body);
  EXPECT_THAT(Trailers(Post("application/grpc-web+proto", "AAAAAAYKBEpvaG4=")),
              StartsWith("grpc-status: "));
}

TEST_F(GrpcWebTest, ComesByHttp2AsWell) {
  Serve(Blocking(Echo));
  Http2Peer peer(Socket::Dial(services_[0]->address()), Http2Peer::Role::kClient);
  const HeaderList headers = {{":method", "POST"},
                              {":scheme", "http"},
                              {":path", kCall},
                              {":authority", "x"},
                              {"content-type", kProto}};
  const Incoming& answer = peer.Finish(peer.Request(headers, Message("John")));
  EXPECT_EQ(answer.Get(":status"), "200");
  EXPECT_EQ(answer.Get("content-type"), kProto);
  EXPECT_FALSE(answer.Has("grpc-status"));
  ASSERT_EQ(Split(answer.body).size(), 2U);
  EXPECT_EQ(Split(answer.body)[1].second, "grpc-status: 0\r\n");
}

TEST_F(GrpcWebTest, ErrorsAreInTheTrailers) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    context.response_metadata().Add("x-back", "a");
    context.trailers().Add("x-raw-bin", "\xff");
    return NotFound("100% gone");
  }));
  const HttpAnswer answer = Post(kProto, Message("John"));
  EXPECT_EQ(answer.Get("x-back"), "a");
  const std::string trailers = Trailers(answer);
  EXPECT_THAT(trailers, StartsWith("grpc-status: 5\r\ngrpc-message: 100%25 gone\r\n"));
  EXPECT_THAT(trailers, HasSubstr("\r\ngrpc-status-details-bin: "));
  EXPECT_THAT(trailers, HasSubstr("\r\nx-raw-bin: /w\r\n"));
}

TEST_F(GrpcWebTest, UnknownMethodsAreUnimplemented) {
  EXPECT_THAT(Trailers(Post(kProto, Message("J"), "", "/testee.Test/Nothing")),
              StartsWith("grpc-status: 12\r\n"));
}

TEST_F(GrpcWebTest, TheTimeoutIsTheCallsDeadline) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    while (!context.cancelled()) std::this_thread::sleep_for(1ms);
    return Cancelled("");
  }));
  EXPECT_THAT(Trailers(Post(kProto, Message("J"), "Grpc-Timeout: 20m\r\n")),
              StartsWith("grpc-status: 4\r\n"));
  EXPECT_THAT(Trailers(Post(kProto, Message("J"), "Grpc-Timeout: soon\r\n")),
              StartsWith("grpc-status: 3\r\n"));
}

TEST_F(GrpcWebTest, WhatBreaksOffIsAnError) {
  const std::string message = Message("John");
  for (std::size_t size = 1; size < message.size(); ++size) {
    EXPECT_THAT(Trailers(Post(kProto, message.substr(0, size))), StartsWith("grpc-status: 13\r\n"));
  }
  EXPECT_THAT(Trailers(Post(kProto, "")), StartsWith("grpc-status: 13\r\n"));
  const std::string trailers_only = "gAAA";  // the flag of trailers, in base64
  EXPECT_THAT(Post("application/grpc-web-text", "AAAAAAYKBEpvaG4").body, StartsWith(trailers_only));
}

TEST_F(GrpcWebTest, MessagesOverTheLimitAreRefused) {
  EXPECT_THAT(Trailers(Post(kProto, std::string("\0\x7f\0\0\0", 5))),
              StartsWith("grpc-status: 8\r\n"));
  std::string compressed = Message("John");
  compressed[0] = 1;
  EXPECT_THAT(Trailers(Post(kProto, compressed)), StartsWith("grpc-status: 13\r\n"));
}

// --- server streaming
// -----------------------------------------------------------------------------

struct Expander final : testee::StreamsHandler {
  Status Expand(Context& context, const Request& request, ServerWriter<Response>& out) override {
    context.response_metadata().Add("x-head", "h");
    context.trailers().Add("x-tail", "t");
    Response response = Text(request.name());
    response.set_payload(request.payload());
    for (std::int64_t i = 0; i != request.big_number(); ++i) {
      if (!out.Write(response)) break;
      ++written;
    }
    ++left;
    return request.name() == "fail" ? NotFound("that is all") : out.status();
  }
  std::atomic<std::int64_t> written = 0;
  std::atomic<int> left = 0;
};

class GrpcWebStreamTest : public GrpcWebTest {
 protected:
  const std::string kExpand = "/testee.Streams/Expand";
  void SetUp() override { Serve(handler_); }
  static std::string Ask(const std::string& name, std::int64_t count, std::string payload = "") {
    Request request = Named(name);
    request.set_big_number(count);
    request.set_payload(std::move(payload));
    return GrpcFrame(request.SerializeAsString());
  }
  std::shared_ptr<Expander> handler_ = std::make_shared<Expander>();
};

TEST_F(GrpcWebStreamTest, AnswersWithManyMessages) {
  const HttpAnswer answer = Post(kProto, Ask("John", 1000), "", kExpand);
  EXPECT_EQ(answer.Get("x-head"), "h");
  const Frames frames = Split(answer.body);
  ASSERT_EQ(frames.size(), 1001U);
  EXPECT_EQ(frames[999], std::pair(0, Text("John").SerializeAsString()));
  EXPECT_EQ(frames[1000], std::pair(0x80, std::string("grpc-status: 0\r\nx-tail: t\r\n")));
}

TEST_F(GrpcWebStreamTest, AnErrorMayComeBehindMessages) {
  const Frames frames = Split(Post(kProto, Ask("fail", 2), "", kExpand).body);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_THAT(frames[2].second, StartsWith("grpc-status: 5\r\ngrpc-message: that is all\r\n"));
  EXPECT_EQ(Split(Post(kProto, Ask("John", 0), "", kExpand).body).size(), 1U);
}

TEST_F(GrpcWebStreamTest, ComesByHttp2AsWell) {
  Http2Peer peer(Socket::Dial(services_[0]->address()), Http2Peer::Role::kClient);
  const HeaderList headers = {{":method", "POST"},
                              {":scheme", "http"},
                              {":path", kExpand},
                              {":authority", "x"},
                              {"content-type", kProto}};
  EXPECT_EQ(Split(peer.Finish(peer.Request(headers, Ask("John", 100))).body).size(), 101U);
}

// The server waits for a reader: what is written and not read is bounded, by what the sockets hold
// and a little more.
TEST_F(GrpcWebStreamTest, ASlowReaderSlowsTheHandlerDown) {
  HttpPeer peer(services_[0]->address());
  peer.Send(HttpRequest("POST", kExpand, Type(kProto), Ask("J", -1, std::string(100'000, 'x'))));
  ASSERT_TRUE(Eventually([&] { return handler_->written > 10; }));
  std::int64_t before = -1;
  EXPECT_TRUE(Eventually([&] { return std::exchange(before, handler_->written) == before; }));
  EXPECT_LT(handler_->written, 1000);
  const std::int64_t stalled = handler_->written;
  std::size_t read = 0;
  while (read < 50'000'000) read += peer.socket().Receive().size();
  EXPECT_TRUE(Eventually([&] { return handler_->written > stalled; }));
  EXPECT_EQ(handler_->left, 0);
  peer.socket().Abort();
  EXPECT_TRUE(Eventually([&] { return handler_->left == 1; }));
}

}  // namespace
}  // namespace micro::e2e
