// However what a client says falls into pieces, it means the same.
#include <gtest/gtest.h>

#include "server_process.h"

namespace micro::natsd::testing {
namespace {

constexpr std::string_view kScript =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n"
    "SUB foo.* 12\r\n"
    "sub bar q 3\r\n"
    "PUB foo.a 5\r\nhello\r\n"
    "PUB foo.b re.ply 0\r\n\r\n"
    "HPUB foo.c 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n"
    "PUB bar\t2 \r\n\r\n\r\n"
    "UNSUB 3 1\r\n"
    "PUB bar 1\r\nx\r\n"
    "UNSUB 12\r\n"
    "PUB foo.a 1\r\nx\r\n";

constexpr std::string_view kAnswer =
    "MSG foo.a 12 5\r\nhello\r\n"
    "MSG foo.b 12 re.ply 0\r\n\r\n"
    "HMSG foo.c 12 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n"
    "MSG bar 3 2\r\n\r\n\r\n";

TEST(SplitTest, AtEveryByte) {
  const ServerProcess server;
  for (std::size_t at = 0; at <= kScript.size(); ++at) {
    Wire wire = server.Stranger();
    wire.SendAlone(kScript.substr(0, at));
    wire.Send(kScript.substr(at));
    ASSERT_EQ(wire.Sync(), kAnswer) << "split at " << at;
  }
}

TEST(SplitTest, IntoSingleBytes) {
  const ServerProcess server;
  Wire wire = server.Stranger();
  for (std::size_t at = 0; at < kScript.size(); ++at) wire.SendAlone(kScript.substr(at, 1));
  EXPECT_EQ(wire.Sync(), kAnswer);
}

TEST(SplitTest, IntoPiecesOfEverySize) {
  const ServerProcess server;
  for (std::size_t size = 2; size < 20; ++size) {
    Wire wire = server.Stranger();
    for (std::size_t at = 0; at < kScript.size(); at += size) {
      wire.SendAlone(kScript.substr(at, size));
    }
    ASSERT_EQ(wire.Sync(), kAnswer) << "pieces of " << size;
  }
}

}  // namespace
}  // namespace micro::natsd::testing
