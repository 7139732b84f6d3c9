#include "net/tcp.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include <gtest/gtest.h>

#include "micro/logger.h"

#include "base/address.h"

namespace micro::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

// A port on which nobody listens, for as long as this lives.
class DeadPort {
 public:
  explicit DeadPort(int backlog = -1) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
    if (backlog >= 0) {
      EXPECT_EQ(::listen(socket_, backlog), 0);
    }
  }
  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;
  ~DeadPort() { ::close(socket_); }

  sockaddr_in endpoint() const {
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&bound), &size);
    return bound;
  }
  std::string address() const { return JoinHostPort("127.0.0.1", ntohs(endpoint().sin_port)); }

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// Fills the queue of a listening socket that never accepts: who dials it now hears nothing.
class FullPort {
 public:
  FullPort() {
    const sockaddr_in to = port_.endpoint();
    for (int& socket : fill_) {
      socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    }
  }
  FullPort(const FullPort&) = delete;
  FullPort& operator=(const FullPort&) = delete;
  ~FullPort() {
    for (const int socket : fill_) ::close(socket);
  }
  std::string address() const { return port_.address(); }

 private:
  DeadPort port_{0};
  std::array<int, 8> fill_{};
};

class TcpTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Link>> Dial(const std::string& address, Duration timeout = 5s) {
    return Await(runtime_.loop(0), Connect(address, timeout));
  }

  Result<std::shared_ptr<TcpListener>> Listen(const std::string& address) {
    return TcpListener::Listen(runtime_, address,
                               [this](runtime::Loop& loop, const std::unique_ptr<Link>& /*link*/) {
                                 const std::lock_guard lock(mutex_);
                                 loops_.push_back(&loop);
                                 accepted_.notify_all();
                               });
  }

  std::vector<runtime::Loop*> WaitForAccepted(std::size_t count) {
    std::unique_lock lock(mutex_);
    accepted_.wait_for(lock, 10s, [&] { return loops_.size() >= count; });
    return loops_;
  }

  std::mutex mutex_;
  std::condition_variable accepted_;
  std::vector<runtime::Loop*> loops_;
  Runtime runtime_{{.loops = 2}};
};

TEST_F(TcpTest, TheAddressHasTheRealPort) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const auto address = ParseHostPort((*listener)->address());
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_NE(address->port, 0);
}

TEST_F(TcpTest, ConnectionsAreDealtOutToTheLoopsInTurn) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  std::vector<Result<std::unique_ptr<Link>>> links;
  for (int i = 0; i < 4; ++i) {
    links.push_back(Dial((*listener)->address()));
    ASSERT_TRUE(links.back());
  }
  const auto loops = WaitForAccepted(4);
  ASSERT_EQ(loops.size(), 4U);
  EXPECT_EQ(std::count(loops.begin(), loops.end(), &runtime_.loop(0)), 2);
  EXPECT_EQ(std::count(loops.begin(), loops.end(), &runtime_.loop(1)), 2);
}

TEST_F(TcpTest, WithoutAHostAllInterfacesAreListenedOn) {
  const auto listener = Listen(":0");
  ASSERT_TRUE(listener);
  const auto port = ParseHostPort((*listener)->address())->port;
  EXPECT_TRUE(Dial(JoinHostPort("127.0.0.1", port)));
}

TEST_F(TcpTest, APortInUseIsAFailedPreconditionInOneSentence) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const auto again = Listen((*listener)->address());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(again.error().phase(), Phase::kConfigure);
  EXPECT_EQ(again.error().detail(),
            "cannot listen on " + (*listener)->address() + ": Address already in use");
}

TEST_F(TcpTest, AnAddressThatIsNotOursIsAFailedPrecondition) {
  for (const std::string address : {"192.0.2.1:0", "nonsense", "127.0.0.1:99999", "127.0.0.1"}) {
    const auto listener = Listen(address);
    ASSERT_FALSE(listener) << address;
    EXPECT_EQ(listener.error().code(), Code::kFailedPrecondition) << address;
    EXPECT_EQ(listener.error().phase(), Phase::kConfigure) << address;
  }
}

TEST_F(TcpTest, AClosedListenerRefuses) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const std::string address = (*listener)->address();
  (*listener)->Close();
  ASSERT_TRUE(Await(runtime_.loop(0), Sleep(0ns)));  // behind the close, which is posted
  EXPECT_FALSE(Dial(address));
  EXPECT_TRUE(Listen(address));
}

TEST_F(TcpTest, ADeadPortIsUnavailableAtOnce) {
  const DeadPort port;
  const auto socket = Dial(port.address(), 1h);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code(), Code::kUnavailable);
  EXPECT_EQ(socket.error().phase(), Phase::kConnect);
  EXPECT_EQ(socket.error().detail(),
            "cannot connect to " + port.address() + ": Connection refused");
}

TEST_F(TcpTest, WhoeverHearsNothingGivesUpInTime) {
  const FullPort port;
  const auto socket = Dial(port.address(), 50ms);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code(), Code::kUnavailable);
  EXPECT_EQ(socket.error().phase(), Phase::kConnect);
  EXPECT_NE(socket.error().detail().find("timed out"), std::string::npos)
      << socket.error().detail();
}

TEST_F(TcpTest, NamesAreResolved) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const auto port = ParseHostPort((*listener)->address())->port;
  EXPECT_TRUE(Dial(JoinHostPort("localhost", port)));
}

TEST_F(TcpTest, WhatIsNoAddressIsUnavailable) {
  for (const std::string address : {"", "host", "127.0.0.1:x", "a b:1"}) {
    const auto socket = Dial(address);
    ASSERT_FALSE(socket) << address;
    EXPECT_EQ(socket.error().phase(), Phase::kConnect);
  }
}

}  // namespace
}  // namespace micro::net
