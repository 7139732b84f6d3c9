#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "abuse/frames.h"
#include "child.h"
#include "fleet.h"
#include "http2_peer.h"
#include "socket.h"

// A service as a process of its own, and callers who mean it harm: it stays small, serves others
// meanwhile, and lets go of those who go too far.
namespace micro::e2e {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kScale = 8;  // shadow memory, quarantine
#else
constexpr long kScale = 1;
#endif
constexpr long kMiB = 1024;  // in KiB

class FloodTest : public ::testing::Test {
 protected:
  void SetUp() override { Launch(); }

  void Launch(const std::vector<std::string>& more = {}) {
    std::vector<std::string> flags = {"--registry=memory", "--server_address=127.0.0.1:0",
                                      "--loops=2"};
    flags.insert(flags.end(), more.begin(), more.end());
    child_ = std::make_unique<Child>("helloworld", flags);
    address_ = child_->After("listening on ");
    ASSERT_TRUE(Serves());
    before_ = child_->peak_memory();
    ASSERT_GT(before_, 0);
  }

  void TearDown() override {
    EXPECT_TRUE(Serves()) << child_->output();
    child_->Signal(SIGTERM);
    EXPECT_EQ(child_->Wait(), 0) << child_->output();
  }

  Socket Dial() const { return Socket::Dial(address_); }

  static Fields Head() {
    return {{":method", "POST"},
            {":scheme", "http"},
            {":path", "/helloworld.Greeter/Hello"},
            {":authority", "x"},
            {"content-type", "application/grpc"},
            {"te", "trailers"}};
  }
  static std::string Message() { return GrpcFrame(std::string("\x0a\x04John", 6)); }
  static std::string Call(std::uint32_t stream) {
    return Headers(stream, Head()) + Data(stream, Message(), kEndStream);
  }

  bool Serves() const {
    Http2Peer peer(Dial(), Http2Peer::Role::kClient);
    return peer.Finish(peer.Request(Head(), Message())).Get("grpc-status") == "0";
  }

  // At its largest, since the start; in KiB.
  long Growth() const { return child_->peak_memory() - before_; }

  // The code of the GOAWAY that ends a connection; nothing if there was none.
  static std::optional<std::uint32_t> Farewell(Socket& socket) {
    std::string bytes;
    errno = 0;
    while (true) {
      const std::string more = socket.Receive();
      if (more.empty()) break;
      bytes += more;
    }
    EXPECT_NE(errno, EAGAIN) << "the connection is still there";
    std::optional<std::uint32_t> code;
    const auto number = [&](std::size_t at, int size) {
      std::uint32_t value = 0;
      for (int i = 0; i < size; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes[at + i]);
      return value;
    };
    for (std::size_t at = 0; at + 9 <= bytes.size(); at += 9 + number(at, 3)) {
      const bool goaway = bytes[at + 3] == static_cast<char>(FrameType::kGoaway);
      if (goaway && at + 17 <= bytes.size()) code = number(at + 13, 4);
    }
    return code;
  }

  // Sends `frame` over and over: the server has to end it. Its last words may be lost on the way to
  // one who sends on.
  void ExpectTooMuch(const std::string& before, const std::string& frame, int times) const {
    Socket socket = Dial();
    std::string bytes = Opening() + before;
    for (int i = 0; i < times; ++i) bytes += frame;
    socket.Send(bytes);
    EXPECT_EQ(Farewell(socket).value_or(NGHTTP2_ENHANCE_YOUR_CALM), NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_TRUE(child_->WaitFor("refused 127.0.0.1"));
  }

  std::unique_ptr<Child> child_;
  std::string address_;
  long before_ = 0;
};

TEST_F(FloodTest, RapidResetsEndTheConnection) {
  std::string bytes = Opening();
  for (std::uint32_t stream = 1; stream < 60'000; stream += 2) {
    bytes += Headers(stream, Head()) + Frame(FrameType::kRstStream, 0, stream, Number(8, 4));
  }
  for (int i = 0; i < 3; ++i) {
    Socket socket = Dial();
    socket.Send(bytes);
    EXPECT_NE(Farewell(socket).value_or(NGHTTP2_INTERNAL_ERROR), NGHTTP2_NO_ERROR);
    EXPECT_TRUE(child_->WaitFor("refused 127.0.0.1"));
    EXPECT_TRUE(Serves());
  }
  EXPECT_LT(Growth(), 64 * kMiB * kScale);
}

TEST_F(FloodTest, AFewThousandResetsAreTolerated) {
  Socket socket = Dial();
  std::string bytes = Opening();
  std::uint32_t stream = 1;
  for (; stream < 6'000; stream += 2) {
    bytes += Headers(stream, Head()) + Frame(FrameType::kRstStream, 0, stream, Number(8, 4));
  }
  ASSERT_TRUE(socket.Send(bytes + Call(stream)));
  std::string answer;
  while (answer.find("Hello John") == std::string::npos) {
    const std::string more = socket.Receive();
    ASSERT_FALSE(more.empty());
    answer += more;
  }
}

TEST_F(FloodTest, PingsThatFloodEndTheConnection) {
  ExpectTooMuch("", Frame(FrameType::kPing, 0, 0, "12345678"), 50'000);
  EXPECT_LT(Growth(), 16 * kMiB * kScale);
}

TEST_F(FloodTest, SettingsThatFloodEndTheConnection) {
  ExpectTooMuch("", Frame(FrameType::kSettings, 0, 0, Number(3, 2) + Number(100, 4)), 50'000);
  ExpectTooMuch("", Frame(FrameType::kSettings, 0, 0), 50'000);
  EXPECT_LT(Growth(), 16 * kMiB * kScale);
}

TEST_F(FloodTest, PrioritiesThatFloodEndTheConnection) {
  ExpectTooMuch("", Frame(FrameType::kPriority, 0, 1, Number(0, 4) + "x"), 50'000);
}

TEST_F(FloodTest, EmptyDataThatFloodsEndsTheConnection) {
  ExpectTooMuch(Headers(1, Head()), Data(1, ""), 50'000);
}

TEST_F(FloodTest, WindowUpdatesThatFloodEndTheConnection) {
  ExpectTooMuch("", Frame(FrameType::kWindowUpdate, 0, 0, Number(1, 4)), 50'000);
}

TEST_F(FloodTest, AnswersThatNobodyReadsDoNotPileUp) {
  // Pings whose answers are not read: the kernel's buffers fill, then the server's.
  Socket socket = Dial();
  const std::string ping = Frame(FrameType::kPing, 0, 0, "12345678");
  std::string bytes = Opening();
  for (std::uint32_t stream = 1; stream < 40'000; stream += 2) bytes += Call(stream) + ping;
  socket.SendWithin(bytes, 2);  // the server stops reading at some point, or ends it
  EXPECT_TRUE(Serves());
  EXPECT_LT(Growth(), 64 * kMiB * kScale);
}

// HPACK makes one byte of a field that came before (RFC 7541 section 6.1).
TEST_F(FloodTest, AHeaderBombIsNotServedAndCostsNoMemory) {
  const std::string name = "x-bomb";
  std::string large = std::string("\x40") + static_cast<char>(name.size()) + name;
  large += std::string("\x7f\xa1\x1e", 3) + std::string(4000, 'x');  // a length of 4000
  const std::string first =
      Frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1, HeaderBlock(Head()) + large);
  const std::string bomb(16'000, '\xbe');  // the newest field, as often as fits
  for (int round = 0; round < 5; ++round) {
    Socket socket = Dial();
    std::string bytes = Opening() + first;
    for (std::uint32_t stream = 3; stream < 40; stream += 2) {
      bytes += Frame(FrameType::kHeaders, kEndHeaders, stream, HeaderBlock(Head()) + bomb);
    }
    socket.Send(bytes);
    socket.CloseSend();
    EXPECT_TRUE(socket.WaitClosed());
  }
  EXPECT_TRUE(Serves());
  EXPECT_LT(Growth(), 32 * kMiB * kScale);
}

TEST_F(FloodTest, ContinuationsWithoutEndEndTheConnection) {
  for (const std::string& more :
       {std::string(), HeaderBlock({{"x-more", std::string(120, 'x')}})}) {
    Socket socket = Dial();
    std::string bytes = Opening() + Headers(1, Head(), 0);
    for (int i = 0; i < 10'000; ++i) bytes += Frame(FrameType::kContinuation, 0, 1, more);
    socket.Send(bytes);
    EXPECT_TRUE(socket.WaitClosed());
  }
  EXPECT_LT(Growth(), 16 * kMiB * kScale);
}

TEST_F(FloodTest, MessagesThatNeverComeWholeHoldWhatCameAndNoMore) {
  const std::string prefix("\0\0\x3f\xff\xff", 5);  // 4 MiB less a byte, each
  std::vector<Socket> sockets;
  for (int i = 0; i < 10; ++i) {
    std::string bytes = Opening();
    for (std::uint32_t stream = 1; stream < 200; stream += 2) {
      bytes += Headers(stream, Head()) + Data(stream, prefix + std::string(4000, 'x'));
    }
    sockets.push_back(Dial());
    ASSERT_TRUE(sockets.back().Send(bytes));
  }
  EXPECT_TRUE(Serves());
  EXPECT_LT(Growth(), 64 * kMiB * kScale);  // 1,000 calls, 4 MB that came
}

TEST_F(FloodTest, ThoseWhoTrickleDoNotHoldUpOthers) {
  std::vector<Socket> sockets;
  std::vector<std::string> openings;
  const std::string request = Opening() + Call(1);
  for (int i = 0; i < 200; ++i) sockets.push_back(Dial());
  for (std::size_t at = 0; at < request.size(); ++at) {
    for (Socket& socket : sockets) ASSERT_TRUE(socket.Send({&request[at], 1}));
    if (at % 50 == 0) {
      EXPECT_TRUE(Serves());
    }
  }
  for (Socket& socket : sockets) {
    std::string answer;
    while (answer.find("Hello John") == std::string::npos) {
      const std::string more = socket.Receive();
      ASSERT_FALSE(more.empty());
      answer += more;
    }
  }
}

TEST_F(FloodTest, PeersThatVanishMidMessageAreForgotten) {
  const int files = child_->open_files();
  std::vector<Socket> sockets;
  for (int i = 0; i < 200; ++i) {
    sockets.push_back(Dial());
    sockets.back().Send(Opening() + Headers(1, Head()) + Data(1, Message().substr(0, 7)));
  }
  EXPECT_TRUE(Serves());
  for (Socket& socket : sockets) socket.Abort();
  EXPECT_TRUE(Eventually([&] { return child_->open_files() <= files; })) << child_->open_files();
}

class HalfOpenTest : public FloodTest {
 protected:
  void SetUp() override { Launch({"--keepalive_time=100ms", "--keepalive_timeout=200ms"}); }
};

TEST_F(HalfOpenTest, ThoseWhoAnswerNoPingAreForgotten) {
  const int files = child_->open_files();
  std::vector<Socket> sockets;
  for (int i = 0; i < 200; ++i) {
    sockets.push_back(Dial());
    ASSERT_TRUE(sockets.back().Send(Opening() + Headers(1, Head())));
  }
  EXPECT_TRUE(Eventually([&] { return child_->open_files() <= files; })) << child_->open_files();
}

// As many as the limits of this machine let one process open; ten thousand where they do.
class CrowdTest : public FloodTest {
 protected:
  void SetUp() override {
    ::getrlimit(RLIMIT_NOFILE, &before_files_);
    rlimit more = before_files_;
    more.rlim_cur = more.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &more);
    const std::uint64_t spare = 200;
    crowd_ = std::min<std::uint64_t>(10'000, more.rlim_cur - spare);
    Launch();
  }
  void TearDown() override {
    FloodTest::TearDown();
    ::setrlimit(RLIMIT_NOFILE, &before_files_);
  }

  rlimit before_files_{};
  std::uint64_t crowd_ = 0;
};

TEST_F(CrowdTest, TenThousandConnectionsAreServedAndKept) {
  if (crowd_ < 10'000) {
    std::cout << "RLIMIT_NOFILE lets this process open " << crowd_ << " connections\n";
  }
  std::vector<Socket> sockets;
  for (std::uint64_t i = 0; i < crowd_; ++i) {
    sockets.push_back(Dial());
    ASSERT_TRUE(sockets.back().connected()) << i;
    ASSERT_TRUE(sockets.back().Send(Opening() + Call(1))) << i;
  }
  const auto greeted = [](Socket& socket) {
    std::string answer;
    while (answer.find("Hello John") == std::string::npos) {
      const std::string more = socket.Receive();
      if (more.empty()) return false;
      answer += more;
    }
    return true;
  };
  for (std::size_t i = 0; i < sockets.size(); ++i) ASSERT_TRUE(greeted(sockets[i])) << i;
  for (std::size_t i = 0; i < sockets.size(); i += 100) {  // still there
    ASSERT_TRUE(sockets[i].Send(Call(3)));
    ASSERT_TRUE(greeted(sockets[i])) << i;
  }
  EXPECT_LT(Growth(), static_cast<long>(crowd_) * 32 * kScale);  // KiB each
}

}  // namespace
}  // namespace micro::e2e
