#include "net/http1/connection.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "micro/runtime.h"

namespace micro::http1 {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Collects a request's body and answers with it, and deletes itself.
class Echo final : public http::Receiver {
 public:
  Echo(http::Exchange& exchange, std::string text) : exchange_(&exchange), text_(std::move(text)) {
    exchange.Attach(*this);
  }
  void OnBody(std::string_view bytes) override { text_ += bytes; }
  void OnBodyEnd() override { http::Answer(*exchange_, 200, {}, text_); }
  void OnDrained() override {}
  void OnClosed() override { delete this; }

 private:
  http::Exchange* exchange_;
  std::string text_;
};

// A blocking socket; no wait lasts for ever.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(descriptor_); }

  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Reads until `text` has come, and takes it out; what came where it does not.
  std::string Until(std::string_view text) {
    while (came_.find(text) == std::string::npos && Receive()) {
    }
    const std::size_t end = came_.find(text);
    if (end == std::string::npos) return std::exchange(came_, "") + "[closed]";
    std::string all = came_.substr(0, end + text.size());
    came_.erase(0, all.size());
    return all;
  }
  // Reads until the other side has closed.
  std::string Rest() {
    while (Receive()) {
    }
    return std::exchange(came_, "");
  }
  void CloseSend() const { ::shutdown(descriptor_, SHUT_WR); }

 private:
  bool Receive() {
    std::array<char, 4096> bytes{};
    const ssize_t size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (size > 0) came_.append(bytes.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  int descriptor_;
  std::string came_;
};

class Http1ConnectionTest : public ::testing::Test, public Connection::Owner {
 protected:
  using Serve = std::function<void(http::Exchange&, http::Request&)>;

  // Before the destructors: the connection's loop calls this object until it is closed.
  void TearDown() override {
    peer_.reset();
    if (open_) closed_->Wait();
  }

  Peer& Open(std::string received = "") {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    open_ = true;
    closed_.emplace();
    OnLoop([this, end = ends[0], received] {
      runtime::Loop& loop = runtime::Loop::Of(runtime_.loop(0));
      net::Socket socket(loop.io(), {AF_UNIX, 0}, end);
      connection_ = std::make_shared<Connection>(
          loop, std::make_unique<net::Link>(std::move(socket)), limits_, *this);
      connection_->Start(received);
    });
    return peer_.emplace(ends[1]);
  }

  void OnLoop(std::function<void()> act) {
    internal::Parker done;
    runtime_.loop(0).Post([&] {
      act();
      done.Signal();
    });
    done.Wait();
  }

  std::string WaitClosed() {
    closed_->Wait();
    open_ = false;
    return reason_;
  }

  void OnRequest(http::Exchange& exchange, http::Request request) override {
    ++requests_;
    if (serve_) return serve_(exchange, request);
    new Echo(exchange, request.method + " " + request.target + " ");
  }
  void OnConnectionClosed(Connection& /*connection*/, std::string_view reason,
                          bool malformed) override {
    reason_ = reason;
    malformed_ = malformed;
    connection_.reset();
    closed_->Signal();
  }

  Runtime runtime_{{.loops = 1, .workers = 1}};
  Limits limits_{.max_head = 1000};
  Serve serve_;
  std::shared_ptr<Connection> connection_;
  std::optional<Peer> peer_;
  std::optional<internal::Parker> closed_;  // made anew for each connection
  bool open_ = false;
  std::atomic<int> requests_ = 0;
  std::string reason_;
  bool malformed_ = false;
};

const std::string kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kPost = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
const std::string kChunked =
    "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

TEST_F(Http1ConnectionTest, AnswersOneRequestAfterTheOther) {
  Peer& peer = Open();
  for (int i = 0; i < 3; ++i) {
    peer.Send(kPost);
    const std::string answer = peer.Until("POST /b hello");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 13\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Connection: close")));
  }
}

TEST_F(Http1ConnectionTest, TakesBytesThatWereReadAlready) {
  Peer& peer = Open(kGet + kPost.substr(0, 20));
  peer.Until("GET /a ");
  peer.Send(kPost.substr(20));
  EXPECT_THAT(peer.Until("hello"), HasSubstr("POST /b hello"));
}

TEST_F(Http1ConnectionTest, BytesMayBeCutAnywhere) {
  const std::string all = kGet + kPost + kChunked + "\r\n" + kGet;
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    Peer& peer = Open(all.substr(0, cut));
    peer.Send(all.substr(cut));
    EXPECT_THAT(peer.Until("\r\n\r\nGET /a "), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(peer.Until("\r\n\r\nPOST /b hello"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(peer.Until("\r\n\r\nPOST /c hello"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(peer.Until("\r\n\r\nGET /a "), StartsWith("HTTP/1.1 200")) << cut;
    peer_.reset();
    WaitClosed();
  }
}

TEST_F(Http1ConnectionTest, RequestsSentAheadWaitForTheirTurn) {
  std::vector<http::Exchange*> waiting;
  serve_ = [&](http::Exchange& exchange, http::Request& request) {
    if (request.target != "/a") return http::Answer(exchange, 200, {}, "second");
    waiting.push_back(&exchange);
  };
  Peer& peer = Open(kGet + "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  OnLoop([&] {
    ASSERT_EQ(waiting.size(), 1U);
    EXPECT_EQ(requests_, 1);
    http::Answer(*waiting[0], 200, {}, "first");
  });
  EXPECT_THAT(peer.Until("first"), Not(HasSubstr("second")));
  peer.Until("second");
}

TEST_F(Http1ConnectionTest, ManyRequestsSentAheadAreAllAnswered) {
  Peer& peer = Open();
  std::string many;
  for (int i = 0; i < 5000; ++i)
    many += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  std::jthread sending([&] { peer.Send(many); });
  for (int i = 0; i < 5000; ++i) peer.Until("\r\n\r\nGET /" + std::to_string(i) + " ");
  EXPECT_EQ(requests_, 5000);
}

TEST_F(Http1ConnectionTest, WhatIsSentInPiecesGoesInChunks) {
  serve_ = [](http::Exchange& exchange, http::Request&) {
    exchange.SendHead(200, {{"x-a", "b"}}, std::nullopt);
    for (std::string piece : {"hello", "", "you"}) exchange.Send(piece);
    exchange.End();
  };
  Peer& peer = Open(kGet);
  EXPECT_THAT(peer.Until("\r\n\r\n"), HasSubstr("x-a: b\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(peer.Until("0\r\n\r\n"), "5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n");
}

TEST_F(Http1ConnectionTest, AnOldClientReadsUntilTheEnd) {
  serve_ = [](http::Exchange& exchange, http::Request&) {
    exchange.SendHead(200, {}, std::nullopt);
    std::string text = "hello";
    exchange.Send(text);
    exchange.End();
  };
  Peer& peer = Open("GET / HTTP/1.0\r\n\r\n");
  const std::string answer = peer.Rest();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n\r\nhello"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
}

TEST_F(Http1ConnectionTest, AHeadRequestGetsNoBody) {
  Peer& peer = Open("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  EXPECT_THAT(peer.Until("\r\n\r\n"), HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(peer.Until("GET /a "), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http1ConnectionTest, WhoWaitsWithTheBodyIsToldToGoOn) {
  Peer& peer =
      Open("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(peer.Until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.Send("hello");
  EXPECT_THAT(peer.Until("POST /b hello"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http1ConnectionTest, WhoWaitsWithABodyThatIsNotWantedIsNotTold) {
  serve_ = [](http::Exchange& exchange, http::Request&) { http::Answer(exchange, 415, {}, "no"); };
  Peer& peer =
      Open("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  const std::string answer = peer.Rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST_F(Http1ConnectionTest, AShortBodyThatIsNotWantedIsSkipped) {
  serve_ = [](http::Exchange& exchange, http::Request& request) {
    http::Answer(exchange, 404, {}, request.target);
  };
  Peer& peer = Open(kPost.substr(0, kPost.size() - 2));
  EXPECT_THAT(peer.Until("/b"), Not(HasSubstr("Connection: close")));
  peer.Send("lo" + kGet);
  EXPECT_THAT(peer.Until("\r\n\r\n/a"), StartsWith("HTTP/1.1 404"));
}

TEST_F(Http1ConnectionTest, ALongBodyThatIsNotWantedEndsTheConnection) {
  serve_ = [](http::Exchange& exchange, http::Request&) { http::Answer(exchange, 404, {}, "no"); };
  Peer& peer = Open("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  peer.Send(std::string(100'000, 'x'));  // the answer is not lost for it
  EXPECT_THAT(peer.Rest(), HasSubstr("Connection: close\r\n\r\nno"));
  peer_.reset();
  WaitClosed();
  EXPECT_FALSE(malformed_);
}

TEST_F(Http1ConnectionTest, WhatIsNoHttpIsAnsweredOnceAndEnds) {
  for (const std::string bytes :
       {"GET / HTTP/1.1\nHost: x\n\n", "hello\r\n\r\n", "   ", "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Peer& peer = Open(kGet + bytes);
    peer.Until("GET /a ");
    const std::string answer = peer.Rest();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << bytes;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer.substr(5), Not(HasSubstr("HTTP/")));
    peer_.reset();
    WaitClosed();
    EXPECT_TRUE(malformed_);
  }
}

TEST_F(Http1ConnectionTest, BadChunksEndTheRequest) {
  bool ended = false;
  struct Forget final : http::Receiver {
    explicit Forget(bool& ended_in) : ended(ended_in) {}
    void OnBody(std::string_view) override {}
    void OnBodyEnd() override { ADD_FAILURE(); }
    void OnDrained() override {}
    void OnClosed() override { ended = true; }
    bool& ended;
  } receiver(ended);
  serve_ = [&](http::Exchange& exchange, http::Request&) { exchange.Attach(receiver); };
  Peer& peer =
      Open("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n");
  EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 400"));
  OnLoop([&] { EXPECT_TRUE(ended); });
}

TEST_F(Http1ConnectionTest, HeadsAreBounded) {
  Peer& peer = Open("GET / HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(1000, 'x'));
  EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 431"));
}

TEST_F(Http1ConnectionTest, WhatStandsAroundChunksIsBounded) {
  for (const std::string bytes : {"5;", "0\r\nX: "}) {
    Peer& peer = Open("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + bytes);
    peer.Send(std::string(5000, 'x'));
    EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 400")) << bytes;
    peer_.reset();
    WaitClosed();
  }
}

TEST_F(Http1ConnectionTest, ASlowHeadIsNotWaitedFor) {
  limits_.patience = 50ms;
  Peer& peer = Open("GET / HT");
  EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 408"));
}

TEST_F(Http1ConnectionTest, ASlowBodyIsNotWaitedFor) {
  limits_.patience = 50ms;
  Peer& peer = Open("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhello");
  EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 408"));
}

TEST_F(Http1ConnectionTest, AnIdleConnectionIsClosed) {
  limits_.idle = 50ms;
  Peer& peer = Open(kGet);
  EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(WaitClosed(), "idle");
}

TEST_F(Http1ConnectionTest, AReaderThatTakesNothingIsLeft) {
  limits_.idle = 50ms;
  serve_ = [](http::Exchange& exchange, http::Request&) {
    http::Answer(exchange, 200, {}, std::string(10U << 20U, 'x'));
  };
  Open(kGet);
  EXPECT_EQ(WaitClosed(), "the other side takes no answer");
}

// Sends for as long as there is room, and counts what waits.
class Endless final : public http::Receiver {
 public:
  explicit Endless(http::Exchange& exchange, std::atomic<std::size_t>& most)
      : exchange_(exchange), most_(most) {
    exchange.Attach(*this);
    exchange.SendHead(200, {}, std::nullopt);
    OnDrained();
  }
  void OnBody(std::string_view /*bytes*/) override {}
  void OnBodyEnd() override {}
  void OnDrained() override {
    while (exchange_.unsent() < 10'000) {
      std::string text(1000, 'x');
      exchange_.Send(text);
    }
    most_ = std::max(most_.load(), exchange_.unsent());
  }
  void OnClosed() override { delete this; }

 private:
  http::Exchange& exchange_;
  std::atomic<std::size_t>& most_;
};

TEST_F(Http1ConnectionTest, ASlowReaderBoundsWhatWaits) {
  std::atomic<std::size_t> most = 0;
  serve_ = [&](http::Exchange& exchange, http::Request&) { new Endless(exchange, most); };
  Peer& peer = Open(kGet);
  for (int i = 0; i < 1000; ++i) peer.Until(std::string(1000, 'x'));
  EXPECT_LT(most, 12'000U);
  EXPECT_GT(most, 0U);
}

TEST_F(Http1ConnectionTest, ACallerWhoLeavesIsNoticed) {
  std::atomic<bool> gone = false;
  struct Waiting final : http::Receiver {
    explicit Waiting(std::atomic<bool>& flag) : gone(flag) {}
    void OnBody(std::string_view) override {}
    void OnBodyEnd() override {}
    void OnDrained() override {}
    void OnClosed() override { gone = true; }
    std::atomic<bool>& gone;
  } receiver(gone);
  serve_ = [&](http::Exchange& exchange, http::Request&) { exchange.Attach(receiver); };
  Open(kGet);
  peer_.reset();
  EXPECT_EQ(WaitClosed(), "closed by the other side");
  EXPECT_TRUE(gone);
}

TEST_F(Http1ConnectionTest, WhatIsAbortedIsCutOff) {
  serve_ = [](http::Exchange& exchange, http::Request&) {
    exchange.SendHead(200, {}, 100);
    exchange.Abort();
  };
  Peer& peer = Open(kGet);
  peer.Rest();
  EXPECT_EQ(WaitClosed(), "aborted");
}

TEST_F(Http1ConnectionTest, DrainingEndsAnIdleConnection) {
  Peer& peer = Open(kGet);
  peer.Until("GET /a ");
  OnLoop([this] { connection_->Shutdown(); });
  EXPECT_EQ(peer.Rest(), "");
  WaitClosed();
}

TEST_F(Http1ConnectionTest, DrainingLetsARequestEnd) {
  std::vector<http::Exchange*> waiting;
  serve_ = [&](http::Exchange& exchange, http::Request&) { waiting.push_back(&exchange); };
  Peer& peer = Open(kGet);
  OnLoop([&] {
    connection_->Shutdown();
    ASSERT_EQ(waiting.size(), 1U);
    http::Answer(*waiting[0], 200, {}, "bye");
  });
  EXPECT_THAT(peer.Rest(), HasSubstr("Connection: close\r\n\r\nbye"));
}

TEST_F(Http1ConnectionTest, DrainingServesARequestThatHasBegun) {
  Peer& peer = Open(kGet.substr(0, 10));
  OnLoop([this] { connection_->Shutdown(); });
  peer.Send(kGet.substr(10));
  EXPECT_THAT(peer.Rest(), HasSubstr("Connection: close\r\n\r\nGET /a "));
}

}  // namespace
}  // namespace micro::http1
