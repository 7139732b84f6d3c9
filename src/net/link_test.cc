#include "net/link.h"

#include <sys/socket.h>

#include <array>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace micro::net {
namespace {

class LinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_ = std::make_unique<Link>(Socket(io_, {AF_UNIX, 0}, ends[0]));
    theirs_ = std::make_unique<Link>(Socket(io_, {AF_UNIX, 0}, ends[1]));
  }

  boost::asio::io_context io_;
  std::unique_ptr<Link> ours_;
  std::unique_ptr<Link> theirs_;
  std::array<std::uint8_t, 8> buffer_{};
};

TEST_F(LinkTest, CarriesBytesBothWays) {
  ASSERT_EQ(ours_->Write("ping"), 4);
  ASSERT_EQ(theirs_->Read(buffer_), 4);
  EXPECT_EQ(std::string(buffer_.begin(), buffer_.begin() + 4), "ping");
  ASSERT_EQ(theirs_->Write("pong"), 4);
  ASSERT_EQ(ours_->Read(buffer_), 4);
}

TEST_F(LinkTest, ReadingWhatIsNotThereDoesNotBlock) {
  EXPECT_EQ(ours_->Read(buffer_), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(LinkTest, AClosedEndReadsAsTheEndAndTakesNoMore) {
  theirs_->Close();
  EXPECT_EQ(ours_->Read(buffer_), 0);
  EXPECT_EQ(ours_->Write("x"), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(LinkTest, WaitingTellsOfWhatCame) {
  bool told = false;
  ours_->WaitReadable([&](const boost::system::error_code& error) { told = !error; });
  theirs_->Write("x");
  io_.run();
  EXPECT_TRUE(told);
}

TEST_F(LinkTest, AUnixPeerIsCalledSo) { EXPECT_EQ(ours_->peer(), "unix"); }

}  // namespace
}  // namespace micro::net
