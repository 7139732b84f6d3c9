// Whether the other side is still there.
#include <gtest/gtest.h>

#include "server_process.h"

namespace micro::natsd::testing {
namespace {

TEST(PingTest, WhoDoesNotAnswerIsTakenForGone) {
  const ServerProcess server("ping_interval: \"1s\"\nping_max: 2\n");
  Wire wire = server.Client();
  wire.Listen();
  EXPECT_EQ(wire.Next(), "PING\r\n");
  EXPECT_EQ(wire.Next(), "PING\r\n");
  EXPECT_EQ(wire.Next(), "-ERR 'Stale Connection'\r\n");
  EXPECT_EQ(wire.Next(), "[closed]");
}

TEST(PingTest, WhoAnswersStays) {
  const ServerProcess server("ping_interval: \"500ms\"\nping_max: 1\n");
  Wire wire = server.Client();
  wire.Listen();
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(wire.Next(), "PING\r\n") << i;
    wire.Send("PONG\r\n");
  }
}

}  // namespace
}  // namespace micro::natsd::testing
