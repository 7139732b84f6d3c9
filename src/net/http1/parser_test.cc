#include "net/http1/parser.h"

#include <gtest/gtest.h>

namespace micro::http1 {
namespace {

std::string Head(std::string_view lines, std::string_view first = "POST /a?b HTTP/1.1") {
  return std::string(first) + "\r\n" + std::string(lines) + "\r\n";
}

// The status that a head is refused with; 0 for one that is taken.
int StatusOf(std::string_view head) {
  Parser parser;
  const auto request = parser.ReadHead(head);
  return request ? 0 : request.error().http_code();
}

TEST(Http1Parser, ReadsAHead) {
  Parser parser;
  const auto request = parser.ReadHead(Head("HOST: x:1\r\nX-A: b \r\nx-a:c\r\n"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->target, "/a?b");
  EXPECT_EQ(request->authority, "x:1");
  EXPECT_EQ(request->fields.GetAll("x-a"), (std::vector<std::string_view>{"b", "c"}));
  EXPECT_TRUE(parser.done());
  EXPECT_TRUE(parser.keep_alive());
}

TEST(Http1Parser, ReadsTheTargetOfAProxy) {
  Parser parser;
  const auto request = parser.ReadHead(Head("Host: x\r\n", "GET http://y:2/a HTTP/1.1"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->target, "/a");
  EXPECT_EQ(request->authority, "y:2");
  const auto bare = parser.ReadHead(Head("Host: x\r\n", "GET http://y?q HTTP/1.1"));
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->target, "/?q");
  EXPECT_EQ(StatusOf(Head("Host: x\r\n", "CONNECT y:2 HTTP/1.1")), 400);
  EXPECT_EQ(StatusOf(Head("Host: x\r\n", "GET * HTTP/1.1")), 400);
  EXPECT_EQ(StatusOf(Head("Host: x\r\n", "OPTIONS * HTTP/1.1")), 0);
}

TEST(Http1Parser, RefusesWhatIsNoHead) {
  EXPECT_EQ(StatusOf("\r\n"), 400);
  EXPECT_EQ(StatusOf("GET /\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf(Head("Host : x\r\n")), 400);
  EXPECT_EQ(StatusOf(Head("Host: x\r\nno colon\r\n")), 400);
  EXPECT_EQ(StatusOf(Head("Host: x\r\n: no name\r\n")), 400);
  EXPECT_EQ(StatusOf(Head("Host: x\r\n", "GET / HTTP/2.0")), 505);
  EXPECT_EQ(StatusOf(Head("Host: x\r\n", "GET / HTTP/0.9")), 505);
}

TEST(Http1Parser, WantsOneHost) {
  EXPECT_EQ(StatusOf(Head("")), 400);
  EXPECT_EQ(StatusOf(Head("Host: x\r\nHost: x\r\n")), 400);
  EXPECT_EQ(StatusOf(Head("", "GET / HTTP/1.0")), 0);
}

// What one server takes for the end of a request, and another for its middle, is how requests are
// smuggled past a proxy.
TEST(Http1Parser, RefusesWhatIsUnclearAboutTheEnd) {
  const std::string host = "Host: x\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string five = "Content-Length: 5\r\n";
  EXPECT_EQ(StatusOf(Head(host + five + chunked)), 400);
  EXPECT_EQ(StatusOf(Head(host + chunked + five)), 400);
  EXPECT_EQ(StatusOf(Head(host + five + five)), 400);
  EXPECT_EQ(StatusOf(Head(host + five + "Content-Length: 6\r\n")), 400);
  EXPECT_EQ(StatusOf(Head(host + "Content-Length: 5, 5\r\n")), 400);
  for (const std::string length : {"+5", "-5", "5x", "0x5", "", "5 5", "99999999999999999999"}) {
    EXPECT_EQ(StatusOf(Head(host + "Content-Length: " + length + "\r\n")), 400) << length;
  }
  EXPECT_EQ(StatusOf(Head(host + chunked + chunked)), 400);
  for (const std::string coding : {"gzip", "gzip, chunked", "chunked, gzip", "xchunked", "identity",
                                   "chunked, identity", "\"chunked\""}) {
    EXPECT_GE(StatusOf(Head(host + "Transfer-Encoding: " + coding + "\r\n")), 400) << coding;
  }
  EXPECT_EQ(StatusOf(Head(host + chunked, "POST / HTTP/1.0")), 400);
  EXPECT_EQ(StatusOf(Head(host + "Transfer-Encoding: Chunked\r\n")), 0);
}

TEST(Http1Parser, KnowsOneExpectation) {
  Parser parser;
  ASSERT_TRUE(parser.ReadHead(Head("Host: x\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n")));
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(StatusOf(Head("Host: x\r\nExpect: more\r\n")), 417);
}

TEST(Http1Parser, KnowsWhoWantsToStay) {
  Parser parser;
  ASSERT_TRUE(parser.ReadHead(Head("Host: x\r\nConnection: close\r\n")));
  EXPECT_FALSE(parser.keep_alive());
  ASSERT_TRUE(parser.ReadHead(Head("Connection: keep-alive\r\n", "GET / HTTP/1.0")));
  EXPECT_FALSE(parser.keep_alive());
}

// Reads a body that comes in pieces of `step` bytes.
std::string Body(Parser& parser, std::string_view bytes, std::size_t step) {
  std::string body;
  std::string waiting;
  while (!parser.done()) {
    if (bytes.empty()) return body + " breaks off";
    waiting += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    const auto used = parser.ReadBody(waiting, body);
    if (!used) return used.error().detail();
    waiting.erase(0, *used);
  }
  return body + waiting + std::string(bytes);
}

TEST(Http1Parser, ReadsABodyOfKnownLengthInAnyPieces) {
  for (const std::size_t step : {1, 2, 3, 100}) {
    Parser parser;
    ASSERT_TRUE(parser.ReadHead(Head("Host: x\r\nContent-Length: 5\r\n")));
    EXPECT_EQ(parser.remaining(), 5U);
    EXPECT_EQ(Body(parser, "hello", step), "hello");
    EXPECT_EQ(parser.remaining(), 0U);
  }
}

TEST(Http1Parser, ReadsChunksInAnyPieces) {
  for (const std::size_t step : {1, 2, 3, 100}) {
    Parser parser;
    ASSERT_TRUE(parser.ReadHead(Head("Host: x\r\nTransfer-Encoding: chunked\r\n")));
    EXPECT_EQ(parser.remaining(), std::nullopt);
    EXPECT_EQ(Body(parser, "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n", step), "hello");
  }
}

TEST(Http1Parser, RefusesBadChunks) {
  for (const std::string chunks : {"x\r\n", "-1\r\nx\r\n", "3\nhel\r\n0\r\n\r\n",
                                   "3\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "\r\n"}) {
    Parser parser;
    ASSERT_TRUE(parser.ReadHead(Head("Host: x\r\nTransfer-Encoding: chunked\r\n")));
    std::string body;
    std::string bytes = chunks + "0\r\n\r\n";
    bool refused = false;
    while (!refused && !parser.done()) {
      const auto used = parser.ReadBody(bytes, body);
      refused = !used;
      if (used && *used == 0) break;
      if (used) bytes.erase(0, *used);
    }
    EXPECT_TRUE(refused) << chunks << " gave " << body;
  }
}

}  // namespace
}  // namespace micro::http1
