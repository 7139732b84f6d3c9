#include "net/dial.h"

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "micro/runtime.h"

#include "base/address.h"
#include "net/listener.h"
#include "net/testing/certificates.h"
#include "net/testing/ports.h"

namespace micro::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using testing::DeadPort;
using testing::FullPort;
using Endpoint = Socket::endpoint_type;

Endpoint EndpointOf(const std::string& address) {
  const HostPort at = ParseHostPort(address).value();
  return tcp::endpoint(boost::asio::ip::make_address(at.host), at.port);
}

class DialTest : public ::testing::Test {
 protected:
  using Linked = Result<std::unique_ptr<Link>>;

  void SetUp() override { listener_ = Listen("127.0.0.1:0"); }

  std::shared_ptr<Listener> Listen(const std::string& address) {
    auto listener = Listener::Listen(runtime_, address, 100,
                                     [](runtime::Loop&, const std::unique_ptr<Link>&) {});
    EXPECT_TRUE(listener) << listener.error().ToString();
    return *listener;
  }
  Linked DialTo(const std::string& address, Duration timeout = 30s,
                std::shared_ptr<TlsContext> tls = nullptr) {
    return Await(runtime_.loop(0), Dial(address, timeout, std::move(tls)));
  }
  Linked First(std::vector<Endpoint> endpoints, Duration timeout = 30s) {
    return Await(runtime_.loop(0),
                 ConnectToFirst(std::move(endpoints), std::chrono::steady_clock::now() + timeout));
  }

  Runtime runtime_{{.loops = 2}};
  std::shared_ptr<Listener> listener_;
};

TEST_F(DialTest, ADeadPortIsUnavailableAtOnce) {
  const DeadPort port;
  const auto link = DialTo(port.address(), 1h);
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code(), Code::kUnavailable);
  EXPECT_EQ(link.error().phase(), Phase::kConnect);
  EXPECT_EQ(link.error().detail(), "cannot connect to " + port.address() + ": Connection refused");
}

TEST_F(DialTest, WhoeverHearsNothingGivesUpInTime) {
  const FullPort port;
  const auto link = DialTo(port.address(), 50ms);
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code(), Code::kUnavailable);
  EXPECT_EQ(link.error().phase(), Phase::kConnect);
  EXPECT_NE(link.error().detail().find("timed out"), std::string::npos) << link.error().detail();
}

TEST_F(DialTest, NamesAreResolved) {
  const auto port = ParseHostPort(listener_->address())->port;
  EXPECT_TRUE(DialTo(JoinHostPort("localhost", port)));
}

TEST_F(DialTest, WhatIsNoAddressIsUnavailable) {
  for (const std::string address : {"", "host", "127.0.0.1:x", "a b:1", "unix:x"}) {
    const auto link = DialTo(address);
    ASSERT_FALSE(link) << address;
    EXPECT_EQ(link.error().phase(), Phase::kConnect);
  }
}

TEST_F(DialTest, ASchemeWithoutTlsIsPlain) {
  EXPECT_TRUE(DialTo("http://" + listener_->address()));
}

TEST_F(DialTest, AUnixSocketIsDialledByItsPath) {
  const testing::Folder folder;
  const std::string address = "unix://" + folder / "x.sock";
  EXPECT_FALSE(DialTo(address));
  const auto listener = Listen(address);
  const auto link = DialTo(address);
  ASSERT_TRUE(link) << link.error().ToString();
  EXPECT_EQ((*link)->peer(), "unix");
}

TEST_F(DialTest, TheSecondAddressIsTriedWhenTheFirstRefuses) {
  const DeadPort dead;
  const auto link = First({EndpointOf(dead.address()), EndpointOf(listener_->address())}, 1h);
  ASSERT_TRUE(link) << link.error().ToString();
  EXPECT_EQ((*link)->peer(), listener_->address());
}

TEST_F(DialTest, TheSecondAddressIsTriedWhenTheFirstIsSilent) {
  const FullPort silent;
  const auto link = First({EndpointOf(silent.address()), EndpointOf(listener_->address())}, 1h);
  ASSERT_TRUE(link) << link.error().ToString();
  EXPECT_EQ((*link)->peer(), listener_->address());
}

TEST_F(DialTest, ASilentFirstDoesNotHideThatAllOthersFailed) {
  const FullPort silent;
  const DeadPort dead;
  const auto link = First({EndpointOf(silent.address()), EndpointOf(dead.address())}, 400ms);
  ASSERT_FALSE(link);
  EXPECT_NE(link.error().detail().find("timed out"), std::string::npos) << link.error().detail();
}

TEST_F(DialTest, WithoutAnAddressThereIsNothingToDial) { EXPECT_FALSE(First({})); }

TEST(InterleaveTest, TheFamiliesTakeTurnsTheFirstOneFirst) {
  const auto v4 = [](int last) {
    return Endpoint(tcp::endpoint(boost::asio::ip::address_v4(0x7f000000U + last), 1));
  };
  const auto v6 = [](unsigned short port) {
    return Endpoint(tcp::endpoint(boost::asio::ip::address_v6::loopback(), port));
  };
  EXPECT_EQ(Interleave({v6(1), v6(2), v6(3), v4(1), v4(2)}),
            (std::vector{v6(1), v4(1), v6(2), v4(2), v6(3)}));
  EXPECT_EQ(Interleave({v4(1), v4(2), v6(1)}), (std::vector{v4(1), v6(1), v4(2)}));
  EXPECT_TRUE(Interleave({}).empty());
}

TEST_F(DialTest, ATlsHandshakeThatIsNotAnsweredEndsInTime) {
  auto tls = TlsContext::Make(TlsContext::Side::kClient, {.dial = true}, runtime_.logger());
  ASSERT_TRUE(tls);
  const DeadPort silent(16);  // the kernel accepts, nobody answers
  const auto link = DialTo(silent.address(), 50ms, *tls);
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().detail(),
            "cannot connect to " + silent.address() + ": TLS: the handshake took too long");
}

TEST_F(DialTest, WhoeverClosesInsteadOfTlsIsSaidToHaveClosed) {
  auto tls = TlsContext::Make(TlsContext::Side::kClient, {.dial = true}, runtime_.logger());
  ASSERT_TRUE(tls);
  const auto link = DialTo(listener_->address(), 1h, *tls);
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().phase(), Phase::kConnect);
}

}  // namespace
}  // namespace micro::net
