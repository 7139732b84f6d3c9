#include "net/http2/session.h"

#include <sys/socket.h>

#include <thread>

#include <gtest/gtest.h>

#include "micro/runtime.h"

namespace micro::http2 {
namespace {

using namespace std::chrono_literals;

// A link whose bytes come one at a time.
class DripLink final : public net::Link {
 public:
  using Link::Link;
  ssize_t Read(std::span<std::uint8_t> bytes) override {
    const ssize_t size = Link::Read(bytes.first(1));
    more_ = size > 0;
    return size;
  }
  bool more() const override { return more_; }

 private:
  bool more_ = false;
};

// What a server saw of one request, and "answer" for an answer.
class Recorder final : public Stream {
 public:
  bool OnHeader(std::string_view name, std::string_view value) override {
    headers.emplace_back(name, value);
    return true;
  }
  void OnHeaders(bool /*end_of_stream*/) override {}
  void OnData(std::string_view bytes) override {
    body += bytes;
    session()->Consume(*this, bytes.size());
  }
  void OnEnd() override {
    std::string answer = "answer";
    Send(answer);
    EndBody(false);
    const nghttp2_nv status = StaticField(":status", "200");
    session()->SubmitResponse(*this, std::span(&status, 1), true);
  }
  void OnClose(std::uint32_t error) override {
    closed = error;
    why_closed = why();
  }

  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<std::uint32_t> closed;
  std::string why_closed;
};

class Server final : public Session::Owner {
 public:
  Stream* OnStream(Session& /*session*/) override {
    return &*streams.emplace_back(std::make_unique<Recorder>());
  }
  void OnSessionClosed(Session& /*session*/, std::string_view reason, bool malformed) override {
    why = reason;
    was_malformed = malformed;
    closed.Signal();
  }
  std::vector<std::unique_ptr<Recorder>> streams;
  std::string why;
  bool was_malformed = false;
  internal::Parker closed;
};

// A session over one end of a pair of sockets, and the other end. It has to be started.
class Conversation {
 public:
  Conversation() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_ = ends[0];
    theirs_ = ends[1];
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(theirs_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation() {
    ::close(theirs_);
    server_.closed.Wait();
  }

  template <typename L>
  void Start(const Settings& settings = {}) {
    runtime_.loop(0).Post([this, settings] {
      runtime::Loop& loop = runtime::Loop::Of(runtime_.loop(0));
      auto link = std::make_unique<L>(net::Socket(loop.io(), {AF_UNIX, 0}, ours_));
      std::make_shared<Session>(loop, std::move(link), Role::kServer, settings, server_)->Start();
    });
  }

  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(theirs_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // The bytes that a client sends with one request, made by nghttp2.
  static std::string Request(const std::string& body) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session* session = nullptr;
    nghttp2_session_client_new(&session, callbacks, nullptr);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
    const std::array<nghttp2_nv, 5> fields = {
        StaticField(":authority", "x"), StaticField(":method", "POST"),
        StaticField(":scheme", "http"), StaticField(":path", "/x"),
        StaticField("x-long", "a value that is not in any table")};
    std::string left = body;
    const nghttp2_data_provider provider{
        {.ptr = &left},
        [](nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t length,
           std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
          auto& text = *static_cast<std::string*>(source->ptr);
          const std::size_t size = std::min(length, text.size());
          text.copy(reinterpret_cast<char*>(buffer), size);
          text.erase(0, size);
          if (text.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
          return static_cast<ssize_t>(size);
        }};
    nghttp2_submit_request(session, nullptr, fields.data(), fields.size(), &provider, nullptr);
    std::string bytes;
    const std::uint8_t* data = nullptr;
    while (const ssize_t size = nghttp2_session_mem_send(session, &data)) {
      bytes.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(callbacks);
    return bytes;
  }

  // Reads until `text` has come.
  bool Hears(const std::string& text) const {
    std::string heard;
    std::array<char, 4096> buffer{};
    while (heard.find(text) == std::string::npos) {
      const ssize_t size = ::recv(theirs_, buffer.data(), buffer.size(), 0);
      if (size <= 0) return false;
      heard.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return true;
  }

  int ours_ = -1;
  int theirs_ = -1;
  Server server_;
  Runtime runtime_{{.loops = 1}};
};

class SessionTest : public ::testing::Test, protected Conversation {};

TEST_F(SessionTest, FramesAreUnderstoodByteByByte) {
  Start<DripLink>();
  Send(Request("the body"));
  ASSERT_TRUE(Hears("answer"));
  ASSERT_EQ(server_.streams.size(), 1U);
  EXPECT_EQ(server_.streams[0]->body, "the body");
  EXPECT_EQ(server_.streams[0]->headers.size(), 5U);
}

TEST(SessionSplitTest, FramesMayBeSplitAnywhere) {
  const std::string request = Conversation::Request("the body");
  // A link that gives the first part of what comes, then the rest.
  static std::size_t split = 0;
  class SplitLink final : public net::Link {
   public:
    using Link::Link;
    ssize_t Read(std::span<std::uint8_t> bytes) override {
      const std::size_t want = given_ < split ? split - given_ : bytes.size();
      const ssize_t size = Link::Read(bytes.first(std::min(want, bytes.size())));
      if (size > 0) given_ += static_cast<std::size_t>(size);
      more_ = size > 0 && given_ <= split;
      return size;
    }
    bool more() const override { return more_; }

   private:
    std::size_t given_ = 0;
    bool more_ = false;
  };
  for (split = 1; split < request.size(); ++split) {
    Conversation once;
    once.Start<SplitLink>();
    once.Send(request);
    ASSERT_TRUE(once.Hears("answer")) << split;
  }
}

TEST_F(SessionTest, WhatIsNoHttp2IsMalformed) {
  Start<net::Link>();
  Send("GET / HTTP/1.1\r\n");
  server_.closed.Wait();
  EXPECT_TRUE(server_.was_malformed);
  EXPECT_EQ(server_.why, nghttp2_strerror(NGHTTP2_ERR_BAD_CLIENT_MAGIC));
}

TEST_F(SessionTest, ASilentPeerWithACallIsPingedAndThenClosed) {
  Start<net::Link>({.lifetimes = {.keepalive_time = 10ms, .keepalive_timeout = 10ms}});
  const std::string whole = Request("the body");
  Send(whole.substr(0, whole.size() - 1));
  server_.closed.Wait();
  EXPECT_EQ(server_.why, "no answer to a ping within 10ms");
  ASSERT_EQ(server_.streams.size(), 1U);
  EXPECT_EQ(server_.streams[0]->closed, kConnectionLost);
  EXPECT_EQ(server_.streams[0]->why_closed, server_.why);
}

TEST_F(SessionTest, WithoutCallsASilentPeerIsNotPinged) {
  Start<net::Link>(
      {.lifetimes = {.keepalive_time = 1ms, .keepalive_timeout = 1ms, .max_idle = 100ms}});
  const std::string request = Request("");
  Send(request.substr(0, request.find("PRI") + 24 + 9));  // the preface and SETTINGS
  server_.closed.Wait();
  EXPECT_TRUE(Hears(std::string("\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 17)));  // GOAWAY
}

}  // namespace
}  // namespace micro::http2
