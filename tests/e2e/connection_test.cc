#include <future>

#include "fleet.h"
#include "http2_peer.h"
#include "socket.h"

// How long connections live, and how much they carry.
namespace micro::e2e {
namespace {

const HeaderList kHead = {{":method", "POST"},
                          {":scheme", "http"},
                          {":path", "/testee.Test/Call"},
                          {":authority", "x"},
                          {"content-type", "application/grpc"},
                          {"te", "trailers"}};

class ConnectionTest : public GrpcFleetTest {
 protected:
  // Answers at once, or when the call is cancelled, or when the gate opens.
  std::shared_ptr<Handler> Patient() {
    return Async([this](Context& context, Request request) -> Task<Reply> {
      ++entered_;
      const bool waits = request.name() == "wait";
      while (waits && !open_ && !context.cancelled()) co_await Sleep(1ms);
      if (context.cancelled()) ++cancelled_;
      co_return Echo(context, request);
    });
  }
  Service& ServePatiently(ServiceOptions options) { return Serve(Patient(), std::move(options)); }

  static Http2Peer Client(const Service& service) {
    return {Socket::Dial(service.address()), Http2Peer::Role::kClient};
  }
  static std::string Message(const std::string& name) {
    return GrpcFrame(Named(name).SerializeAsString());
  }

  // A call to one who is no service of ours, on a thread of its own.
  std::future<Reply> CallElsewhere(const std::string& address) {
    caller();
    return std::async(std::launch::async, [this, address] {
      const std::vector<std::string> addresses = {address};
      return test().Call(Named("John"), {.timeout = 60s, .retries = 0, .addresses = addresses});
    });
  }

  std::atomic<int> entered_ = 0;
  std::atomic<int> cancelled_ = 0;
  std::atomic<bool> open_ = false;
};

TEST_F(ConnectionTest, ACallOnASilentConnectionFailsAndSaysWhy) {
  caller_options_.keepalive_time = 50ms;
  caller_options_.keepalive_timeout = 50ms;
  ListeningSocket listening;
  auto reply = CallElsewhere(listening.address());
  Http2Peer server(listening.Accept(), Http2Peer::Role::kServer);
  ASSERT_TRUE(server.RunUntil([&] { return server.streams()[1].ended; }));
  // From here on nothing is read, and nothing is said.
  const Reply outcome = reply.get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Code::kUnavailable);
  EXPECT_NE(outcome.error().detail().find("no answer to a ping within 50ms"), std::string::npos)
      << outcome.error().ToString();
}

TEST_F(ConnectionTest, AServerThatAnswersPingsHasTimeForItsAnswer) {
  caller_options_.keepalive_time = 20ms;
  ListeningSocket listening;
  auto reply = CallElsewhere(listening.address());
  Http2Peer server(listening.Accept(), Http2Peer::Role::kServer);
  ASSERT_TRUE(server.RunUntil([&] { return server.pings() == 2; }));
  server.Answer(1, {{":status", "200"}, {"content-type", "application/grpc"}},
                GrpcFrame(Text("Hello John").SerializeAsString()), {{"grpc-status", "0"}});
  const Reply outcome = reply.get();
  EXPECT_TRUE(outcome) << outcome.error().ToString();
}

TEST_F(ConnectionTest, AHalfOpenCallersConnectionIsClosed) {
  ServiceOptions options = Options();
  options.keepalive_time = 50ms;
  options.keepalive_timeout = 50ms;
  Http2Peer peer = Client(ServePatiently(options));
  peer.Request(kHead, Message("wait"));
  ASSERT_TRUE(peer.Flush());
  ASSERT_TRUE(Eventually([this] { return entered_ == 1; }));
  EXPECT_TRUE(Eventually([this] { return cancelled_ == 1; }));
  EXPECT_TRUE(peer.socket().WaitClosed());
}

TEST_F(ConnectionTest, ACallerThatAnswersPingsMayWait) {
  ServiceOptions options = Options();
  options.keepalive_time = 20ms;
  Http2Peer peer = Client(ServePatiently(options));
  const auto stream = peer.Request(kHead, Message("wait"));
  ASSERT_TRUE(peer.RunUntil([&] { return peer.pings() == 5; }));
  open_ = true;
  EXPECT_EQ(peer.Finish(stream).Get("grpc-status"), "0");
}

TEST_F(ConnectionTest, AnOldConnectionTakesNoMoreCallsAndEndsThoseItHas) {
  ServiceOptions options = Options();
  options.max_connection_age = 100ms;
  Http2Peer peer = Client(ServePatiently(options));
  const auto stream = peer.Request(kHead, Message("wait"));
  ASSERT_TRUE(peer.RunUntil([&] { return peer.goaway().has_value(); }));
  EXPECT_EQ(peer.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(cancelled_, 0);
  open_ = true;
  EXPECT_EQ(peer.Finish(stream).Get("grpc-status"), "0");
  EXPECT_TRUE(peer.socket().WaitClosed());
}

TEST_F(ConnectionTest, CallersDoNotNoticeThatConnectionsAge) {
  ServiceOptions options = Options();
  options.max_connection_age = 20ms;
  ServePatiently(options);
  const auto until = std::chrono::steady_clock::now() + 300ms;
  while (std::chrono::steady_clock::now() < until) {
    const Reply reply = Call(Named("John"), {.retries = 0});
    ASSERT_TRUE(reply) << reply.error().ToString();
  }
}

TEST_F(ConnectionTest, AnIdleConnectionIsEnded) {
  ServiceOptions options = Options();
  options.max_connection_idle = 50ms;
  Http2Peer peer = Client(ServePatiently(options));
  EXPECT_EQ(peer.Finish(peer.Request(kHead, Message("John"))).Get("grpc-status"), "0");
  EXPECT_FALSE(peer.RunUntil([] { return false; }));  // until it is closed
  EXPECT_EQ(peer.goaway(), NGHTTP2_NO_ERROR);
}

TEST_F(ConnectionTest, AConnectionWithACallIsNotIdle) {
  ServiceOptions options = Options();
  options.max_connection_idle = 20ms;
  options.keepalive_time = 20ms;
  Http2Peer peer = Client(ServePatiently(options));
  const auto stream = peer.Request(kHead, Message("wait"));
  ASSERT_TRUE(peer.RunUntil([&] { return peer.pings() == 4; }));
  EXPECT_FALSE(peer.goaway());
  open_ = true;
  EXPECT_EQ(peer.Finish(stream).Get("grpc-status"), "0");
}

TEST_F(ConnectionTest, WhoeverDoesNotAnswerTheGoodbyeIsClosed) {
  ServiceOptions options = Options();
  options.max_connection_idle = 20ms;
  options.keepalive_timeout = 50ms;
  ServePatiently(options);
  Http2Peer peer(Socket::Dial(services_[0]->address()), Http2Peer::Role::kClient);
  ASSERT_TRUE(peer.Flush());
  EXPECT_TRUE(peer.socket().WaitClosed());
}

TEST_F(ConnectionTest, ConnectionsOverTheLimitAreClosedAndThoseThereServed) {
  ServiceOptions options = Options();
  options.max_connections = 2;
  Service& service = ServePatiently(options);
  Http2Peer one = Client(service);
  Http2Peer two = Client(service);
  EXPECT_EQ(one.Finish(one.Request(kHead, Message("John"))).Get("grpc-status"), "0");
  EXPECT_EQ(two.Finish(two.Request(kHead, Message("John"))).Get("grpc-status"), "0");
  Socket third = Socket::Dial(service.address());
  EXPECT_TRUE(third.WaitClosed());
  EXPECT_TRUE(log_->Has(LogLevel::kWarn, "--max_connections"));
  EXPECT_EQ(one.Finish(one.Request(kHead, Message("John"))).Get("grpc-status"), "0");
  two.socket().Abort();
  EXPECT_TRUE(Eventually([&] { return Call(Named("John")).has_value(); }));
}

TEST_F(ConnectionTest, TheNumberOfOpenCallsIsSaidToTheCaller) {
  ServiceOptions options = Options();
  options.max_concurrent_streams = 7;
  options.max_metadata_size = 2000;
  Http2Peer peer = Client(ServePatiently(options));
  peer.Finish(peer.Request(kHead, Message("John")));
  EXPECT_EQ(peer.Setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 7U);
  EXPECT_EQ(peer.Setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), 2000U);
}

TEST_F(ConnectionTest, CallsBeyondAConnectionsNumberGoOverAnother) {
  ServiceOptions options = Options();
  options.max_concurrent_streams = 1;
  ServePatiently(options);
  caller();
  auto waiting = std::async(std::launch::async, [this] { return Call(Named("wait")); });
  ASSERT_TRUE(Eventually([this] { return entered_ == 1; }));
  EXPECT_TRUE(Call(Named("John")));
  open_ = true;
  EXPECT_TRUE(waiting.get());
}

TEST_F(ConnectionTest, ARequestOverTheSendersLimitDoesNotLeave) {
  ServePatiently(Options());
  caller_options_.max_send_message_size = 100;
  Request request = Named("John");
  request.set_payload(std::string(1000, 'x'));
  const Error error = CallFails(request);
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_EQ(error.phase(), Phase::kSend);
  EXPECT_NE(error.detail().find("--max_send_message_size"), std::string::npos) << error.ToString();
  EXPECT_EQ(entered_, 0);
  EXPECT_TRUE(Call(Named("John")));
}

TEST_F(ConnectionTest, AnAnswerOverTheSendersLimitIsAnError) {
  ServiceOptions options = Options();
  options.max_send_message_size = 100;
  ServePatiently(options);
  Request request = Named("John");
  request.set_payload(std::string(1000, 'x'));
  const Error error = CallFails(request);
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_EQ(error.phase(), Phase::kRemote);
  EXPECT_NE(error.detail().find("--max_send_message_size"), std::string::npos) << error.ToString();
  EXPECT_TRUE(Call(Named("John")));
}

TEST_F(ConnectionTest, MetadataOverTheLimitIsRefused) {
  ServiceOptions options = Options();
  options.max_metadata_size = 2000;
  ServePatiently(options);
  Metadata metadata;
  metadata.Set("x-large", std::string(4000, 'x'));
  const Error error = CallFails(Named("John"), {.metadata = &metadata});
  EXPECT_EQ(error.code(), Code::kResourceExhausted) << error.ToString();
}

TEST_F(ConnectionTest, ValuesOutOfRangeAreRefusedByTheirNames) {
  const auto complaint = [this](auto change) {
    ServiceOptions options = Options();
    change(options);
    const Service service(options);
    EXPECT_FALSE(service.status());
    if (service.status()) return std::string("accepted");
    EXPECT_EQ(service.status().error().phase(), Phase::kConfigure);
    return service.status().error().detail();
  };
  EXPECT_TRUE(complaint([](auto& o) { o.max_message_size = 0; }).starts_with("--max_message_size"));
  EXPECT_TRUE(complaint([](auto& o) {
                o.max_send_message_size = 1ULL << 32U;
              }).starts_with("--max_send_message_size"));
  EXPECT_TRUE(
      complaint([](auto& o) { o.max_metadata_size = 10; }).starts_with("--max_metadata_size"));
  EXPECT_TRUE(complaint([](auto& o) { o.max_connections = 0; }).starts_with("--max_connections"));
  EXPECT_TRUE(complaint([](auto& o) {
                o.max_concurrent_streams = 0;
              }).starts_with("--max_concurrent_streams"));
  EXPECT_TRUE(
      complaint([](auto& o) { o.keepalive_timeout = 0ns; }).starts_with("--keepalive_timeout"));
}

}  // namespace
}  // namespace micro::e2e
