#include <sys/resource.h>

#include "abuse/frames.h"
#include "fleet.h"
#include "http2_peer.h"
#include "socket.h"

// What no well-behaved peer would send. Whatever comes, others are still served.
namespace micro::e2e {
namespace {

class AbuseTest : public GrpcFleetTest {
 protected:
  void SetUp() override {
    Serve(Async([this](Context& context, Request request) -> Task<Reply> {
      ++entered_;
      while (request.name() == "wait" && !context.cancelled()) co_await Sleep(1ms);
      cancelled_ += context.cancelled() ? 1 : 0;
      co_return Echo(context, request);
    }));
  }

  void TearDown() override {
    const Reply reply = Call(Named("John"));
    EXPECT_TRUE(reply) << reply.error().ToString();
  }

  std::string address() const { return services_[0]->address(); }
  Socket Dial() const { return Socket::Dial(address()); }

  static Fields Head() {
    return {{":method", "POST"},
            {":scheme", "http"},
            {":path", "/testee.Test/Call"},
            {":authority", "x"},
            {"content-type", "application/grpc"},
            {"te", "trailers"}};
  }

  static Fields With(Fields fields, const std::string& name, const std::string& value) {
    for (auto& field : fields) {
      if (field.first == name) return field.second = value, fields;
    }
    fields.emplace(name.starts_with(':') ? fields.begin() : fields.end(), name, value);
    return fields;
  }

  static Fields Without(Fields fields, const std::string& name) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    return fields;
  }

  static std::string Message(const std::string& name) {
    return GrpcFrame(Named(name).SerializeAsString());
  }

  // Sends bytes after a good opening; the server may answer as it likes, but has to let go.
  void SendAndLeave(const std::string& bytes) const {
    Socket socket = Dial();
    socket.Send(Opening() + bytes);
    socket.CloseSend();
    EXPECT_TRUE(socket.WaitClosed());
  }

  // Sends bytes that are no HTTP/2: the server has to close the connection by itself.
  void ExpectRejected(const std::string& bytes) const {
    Socket socket = Dial();
    socket.Send(bytes);
    EXPECT_TRUE(socket.WaitClosed());
  }

  // Whether `bytes` come.
  static bool WaitFor(Socket& socket, const std::string& bytes) {
    std::string received;
    while (received.find(bytes) == std::string::npos) {
      const std::string more = socket.Receive();
      if (more.empty()) return false;
      received += more;
    }
    return true;
  }

  // The answer to one request that an HTTP/2 library has no objection to.
  Incoming Ask(const Fields& fields, const std::string& body = "", bool end = true) const {
    Http2Peer peer(Dial(), Http2Peer::Role::kClient);
    return peer.Finish(peer.Request(fields, body, end));
  }

  std::atomic<int> entered_ = 0;
  std::atomic<int> cancelled_ = 0;
};

TEST_F(AbuseTest, WhatIsNoHttp2IsRejected) {
  ExpectRejected(std::string(100, ' '));
  ExpectRejected("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  ExpectRejected(std::string(100, '\0'));
  ExpectRejected(std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11) +
                 std::string(100, 'x'));
}

TEST_F(AbuseTest, APrefaceMayBreakOffAnywhere) {
  for (std::size_t size = 0; size <= kPreface.size(); ++size) {
    Socket socket = Dial();
    socket.Send(kPreface.substr(0, size));
    socket.CloseSend();
    EXPECT_TRUE(socket.WaitClosed()) << size;
  }
}

TEST_F(AbuseTest, FramesMayComeByteByByte) {
  Socket socket = Dial();
  const std::string request = Opening() + Headers(1, Head()) + Data(1, Message("John"), kEndStream);
  for (const char byte : request) ASSERT_TRUE(socket.Send({&byte, 1}));
  ASSERT_TRUE(WaitFor(socket, "Hello John"));
}

TEST_F(AbuseTest, AConnectionMayBreakOffAnywhere) {
  const std::string request = Opening() + Headers(1, Head()) + Data(1, Message("wait"), kEndStream);
  for (std::size_t size = kPreface.size(); size <= request.size(); ++size) {
    Socket socket = Dial();
    socket.Send(request.substr(0, size));
    if (size % 2 == 0) socket.Abort();
  }
  EXPECT_TRUE(Eventually([this] { return entered_ == cancelled_; }));
}

TEST_F(AbuseTest, BadFrameSizesEndTheConnection) {
  const std::string opening = Opening();
  ExpectRejected(opening + FrameHead(FrameType::kData, 0, 1, 0xffffff));
  ExpectRejected(opening + Frame(FrameType::kSettings, 0, 0, "12345"));
  ExpectRejected(opening + Frame(FrameType::kPing, 0, 0, "1234567"));
  ExpectRejected(opening + Frame(FrameType::kRstStream, 0, 1, "123"));
  ExpectRejected(opening + Frame(FrameType::kWindowUpdate, 0, 0, "123"));
  ExpectRejected(opening + Frame(FrameType::kGoaway, 0, 0, "1"));
}

TEST_F(AbuseTest, FramesOutOfPlaceEndTheConnection) {
  const std::string opening = Opening();
  ExpectRejected(opening + Data(1, "never opened"));
  ExpectRejected(opening + Data(0, "no stream"));
  ExpectRejected(opening + Headers(2, Head()));
  ExpectRejected(opening + Headers(0, Head()));
  ExpectRejected(opening + Frame(FrameType::kContinuation, kEndHeaders, 1));
  ExpectRejected(opening + Headers(1, Head(), 0) + Data(1, "within the headers"));
  ExpectRejected(opening + Frame(FrameType::kPushPromise, kEndHeaders, 1, Number(2, 4)));
  ExpectRejected(opening + Frame(FrameType::kSettings, 0, 1));
  ExpectRejected(opening + Frame(FrameType::kPing, 0, 1, "12345678"));
  ExpectRejected(opening + Frame(FrameType::kWindowUpdate, 0, 0, Number(0x7fffffff, 4)));
}

TEST_F(AbuseTest, AStreamOutOfOrderEndsTheConnection) {
  const std::string call = Headers(3, Head()) + Data(3, Message("John"), kEndStream);
  ExpectRejected(Opening() + call + Headers(1, Head()));
  ExpectRejected(Opening() + call + Frame(FrameType::kRstStream, 0, 3, Number(0, 4)) +
                 Headers(3, Head()));
}

TEST_F(AbuseTest, TrailersMayCrossAReset) {
  Socket socket = Dial();
  const std::string many = GrpcFrame(Named("John").SerializeAsString()) + "too much of a message";
  socket.Send(Opening() + Headers(1, Head()) + Data(1, many));
  ASSERT_TRUE(WaitFor(socket, FrameHead(FrameType::kRstStream, 0, 1, 4)));
  socket.Send(Headers(1, {{"x", "y"}}, kEndHeaders | kEndStream));
  socket.Send(Headers(3, Head()) + Data(3, Message("Ann"), kEndStream));
  ASSERT_TRUE(WaitFor(socket, "Hello Ann"));
}

TEST_F(AbuseTest, BadHeaderBlocksEndTheConnection) {
  for (const std::string& block : {std::string("\xff\xff\xff\xff\xff\xff", 6), std::string("\x80"),
                                   std::string("\0\x7fx", 3), std::string("\x3f\xff\xff\x7f", 4)}) {
    ExpectRejected(Opening() + Frame(FrameType::kHeaders, kEndHeaders, 1, block));
  }
}

TEST_F(AbuseTest, BadHeadersAreNotServed) {
  const Fields head = Head();
  for (const Fields& fields :
       {Without(head, ":path"), Without(head, ":method"), Without(head, ":scheme"),
        With(head, ":status", "200"), With(head, ":unknown", "x"), With(head, "X-Upper", "x"),
        With(head, "connection", "close"), With(head, "te", "gzip"), With(head, "x", "a\nb"),
        With(head, "", "x"), With(head, "content-length", "1"), Fields{}}) {
    SendAndLeave(Headers(1, fields) + Data(1, Message("John"), kEndStream));
  }
  EXPECT_EQ(entered_, 0);
}

TEST_F(AbuseTest, WhatIsNoGrpcIsToldSoAtOnce) {
  Http2Peer peer(Dial(), Http2Peer::Role::kClient);
  const std::int32_t id = peer.Request(Without(Head(), "content-type"), "x", false);
  ASSERT_TRUE(peer.RunUntil([&] { return peer.streams()[id].ended; }));
  const Incoming& answer = peer.streams()[id];
  EXPECT_EQ(answer.Get(":status"), "415");
  EXPECT_EQ(answer.Get("content-type"), "text/plain; charset=utf-8");
  EXPECT_NE(answer.body.find("application/grpc"), std::string::npos);
}

TEST_F(AbuseTest, OtherMethodsAreNotAllowed) {
  EXPECT_EQ(Ask(With(Head(), ":method", "GET")).Get(":status"), "405");
  EXPECT_EQ(Ask(With(Head(), ":method", "PUT"), "body").Get(":status"), "405");
}

TEST_F(AbuseTest, OtherContentTypesAreUnsupported) {
  for (const std::string type :
       {"text/html", "application/jsonp", "", "grpc", "application/grpcweb"}) {
    EXPECT_EQ(Ask(With(Head(), "content-type", type), "x").Get(":status"), "415") << type;
  }
  EXPECT_EQ(Ask(Without(Head(), "content-type"), "x").Get(":status"), "415");
  EXPECT_EQ(Ask(With(Head(), "content-type", "application/grpc+x")).Get("grpc-status"), "12");
}

TEST_F(AbuseTest, BadTimeoutsAreInvalid) {
  for (const std::string timeout : {"", "1", "S", "123456789S", "-1S", "1.5S", "1x"}) {
    const Incoming answer = Ask(With(Head(), "grpc-timeout", timeout), Message("John"));
    EXPECT_EQ(answer.Get("grpc-status"), "3") << timeout;
  }
  EXPECT_EQ(Ask(With(Head(), "grpc-timeout", "0n"), Message("wait")).Get("grpc-status"), "4");
  EXPECT_EQ(Ask(With(Head(), "grpc-timeout", "99999999H"), Message("J")).Get("grpc-status"), "0");
}

TEST_F(AbuseTest, BadBase64IsInvalid) {
  EXPECT_EQ(Ask(With(Head(), "x-raw-bin", "!!"), Message("John")).Get("grpc-status"), "3");
  EXPECT_EQ(Ask(With(Head(), "x-raw-bin", "AA,A"), Message("John")).Get("grpc-status"), "3");
  EXPECT_EQ(Ask(With(Head(), "x-raw-bin", "AA==,AA"), Message("J")).Get("grpc-status"), "0");
}

TEST_F(AbuseTest, CompressionNobodyAgreedOnIsRefused) {
  EXPECT_EQ(Ask(With(Head(), "grpc-encoding", "snappy"), Message("John")).Get("grpc-status"), "12");
  std::string compressed = Message("John");
  compressed[0] = 1;
  EXPECT_EQ(Ask(Head(), compressed).Get("grpc-status"), "13");
}

TEST_F(AbuseTest, TooMuchMetadataIsRefused) {
  Fields fields = Head();
  for (int i = 0; i < 30; ++i) fields.emplace_back("x-much", std::string(1000, 'x'));
  const Incoming answer = Ask(fields, Message("John"));
  EXPECT_TRUE(answer.Get("grpc-status") == "8" || answer.error != NGHTTP2_NO_ERROR);
  EXPECT_EQ(entered_, 0);
}

TEST_F(AbuseTest, AMessageOverTheLimitIsRefusedByItsPrefix) {
  const std::string prefix("\0\x7f\xff\xff\xff", 5);
  const Incoming answer = Ask(Head(), prefix + "little", false);
  EXPECT_EQ(answer.Get("grpc-status"), "8");
  EXPECT_NE(answer.Get("grpc-message").find("--max_message_size"), std::string::npos);
}

TEST_F(AbuseTest, AnAnnouncedMessageCostsNoMemoryBeforeItComes) {
  std::vector<std::unique_ptr<Http2Peer>> peers;
  const std::string prefix("\0\0\x3f\xff\xff", 5);  // 4 MiB less a byte, each
  for (int i = 0; i < 10; ++i) {
    peers.push_back(std::make_unique<Http2Peer>(Dial(), Http2Peer::Role::kClient));
    for (int call = 0; call < 90; ++call) peers.back()->Request(Head(), prefix, false);
    ASSERT_TRUE(peers.back()->Flush());
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 2L << 20L);  // KiB
}

TEST_F(AbuseTest, MessagesThatBreakOffAreErrors) {
  const std::string message = Message("John");
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_EQ(Ask(Head(), message.substr(0, size)).Get("grpc-status"), "13") << size;
  }
  EXPECT_EQ(entered_, 0);
}

TEST_F(AbuseTest, WhatFollowsAUnaryRequestDoesNoHarm) {
  const std::string over("\0\x7f\xff\xff\xff", 5);
  const std::string compressed("\x01\0\0\0\0", 5);
  for (const std::string& more : {Message("again"), over, compressed, std::string("\0", 1)}) {
    const Incoming answer = Ask(Head(), Message("John") + more);
    EXPECT_FALSE(answer.Get("grpc-status").empty());
  }
  EXPECT_EQ(entered_, 4);
}

TEST_F(AbuseTest, WhatFollowsWhileTheHandlerRunsDoesNoHarm) {
  const std::string over("\0\x7f\xff\xff\xff", 5);
  Socket socket = Dial();
  ASSERT_TRUE(socket.Send(Opening() + Headers(1, Head()) + Data(1, Message("wait"))));
  ASSERT_TRUE(Eventually([this] { return entered_ == 1; }));
  ASSERT_TRUE(socket.Send(Data(1, over) + Data(1, "and on")));
  EXPECT_TRUE(Eventually([this] { return cancelled_ == 1; }));
}

TEST_F(AbuseTest, AMessageThatIsNoneIsInvalid) {
  EXPECT_EQ(Ask(Head(), GrpcFrame("\x0a\x05x")).Get("grpc-status"), "3");
}

TEST_F(AbuseTest, AResetCancelsTheHandler) {
  Http2Peer peer(Dial(), Http2Peer::Role::kClient);
  const auto stream = peer.Request(Head(), Message("wait"));
  ASSERT_TRUE(peer.Flush());
  ASSERT_TRUE(Eventually([this] { return entered_ == 1; }));
  peer.Reset(stream);
  ASSERT_TRUE(peer.Flush());
  EXPECT_TRUE(Eventually([this] { return cancelled_ == 1; }));
}

TEST_F(AbuseTest, ADroppedConnectionCancelsItsHandlers) {
  Http2Peer peer(Dial(), Http2Peer::Role::kClient);
  for (int i = 0; i < 20; ++i) peer.Request(Head(), Message("wait"));
  ASSERT_TRUE(peer.Flush());
  ASSERT_TRUE(Eventually([this] { return entered_ == 20; }));
  peer.socket().Abort();
  EXPECT_TRUE(Eventually([this] { return cancelled_ == 20; }));
}

TEST_F(AbuseTest, AThousandIdleConnectionsDoNoHarm) {
  const rlimit enough{.rlim_cur = 4096, .rlim_max = 4096};
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < enough.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &enough) != 0) {
    GTEST_SKIP() << "this process may not open as many files";
  }
  std::vector<Socket> sockets;
  for (int i = 0; i < 1000; ++i) {
    sockets.push_back(Dial());
    ASSERT_TRUE(sockets.back().connected());
    sockets.back().Send(i % 2 == 0 ? Opening() : "PRI");
  }
  EXPECT_TRUE(Call(Named("John")));
}

TEST_F(AbuseTest, RapidResetsAreEitherServedOrRejected) {
  Socket socket = Dial();
  ASSERT_TRUE(socket.Send(Opening()));
  for (std::uint32_t stream = 1; stream < 10'000; stream += 2) {
    const std::string reset = Frame(FrameType::kRstStream, 0, stream, Number(8, 4));
    if (!socket.Send(Headers(stream, Head()) + Data(stream, Message("wait")) + reset)) break;
  }
  EXPECT_TRUE(Call(Named("John")));
  socket.Abort();
  EXPECT_TRUE(Eventually([this] { return entered_ <= cancelled_ + 1; }));
}

TEST_F(AbuseTest, FloodsAreEitherServedOrRejected) {
  const std::string settings = Frame(FrameType::kSettings, 0, 0, Number(3, 2) + Number(100, 4));
  const std::string ping = Frame(FrameType::kPing, 0, 0, "12345678");
  const std::string empty = Headers(1, Head(), 0) + [] {
    std::string frames;
    for (int i = 0; i < 50; ++i) frames += Frame(FrameType::kContinuation, 0, 1);
    return frames;
  }();
  const std::string update = Frame(FrameType::kWindowUpdate, 0, 0, Number(1, 4));
  for (const std::string& frame : {settings, ping, empty, update}) {
    Socket socket = Dial();
    ASSERT_TRUE(socket.Send(Opening()));
    for (int i = 0; i < 20'000 && socket.Send(frame); ++i) {
    }
    EXPECT_TRUE(Call(Named("John")));
  }
}

TEST_F(AbuseTest, AnAnswerNobodyReadsDoesNotStopOthers) {
  Request large = Named("large");
  large.set_payload(std::string(1U << 20U, 'x'));
  Http2Peer lazy(Dial(), Http2Peer::Role::kClient);
  for (int i = 0; i < 5; ++i) {
    const auto stream = lazy.Request(Head(), GrpcFrame(large.SerializeAsString()));
    lazy.RunUntil([&] { return !lazy.streams()[stream].body.empty(); });
  }
  EXPECT_TRUE(Call(Named("John")));
}

}  // namespace
}  // namespace micro::e2e
