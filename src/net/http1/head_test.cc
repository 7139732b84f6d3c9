#include "net/http1/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::http1 {
namespace {

using ::testing::MatchesRegex;

TEST(FindHeadEnd, IsBehindTheEmptyLine) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  std::size_t looked = 0;
  EXPECT_EQ(FindHeadEnd(head + "body\r\n\r\n", looked), head.size());
}

TEST(FindHeadEnd, IsFoundWhereverTheBytesAreCut) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  std::size_t looked = 0;
  for (std::size_t size = 0; size < head.size(); ++size) {
    EXPECT_FALSE(FindHeadEnd(std::string_view(head).substr(0, size), looked)) << size;
  }
  EXPECT_EQ(FindHeadEnd(head, looked), head.size());
}

TEST(LineFault, IsNoneInGoodLinesWhereverTheyAreCut) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nA: b\tc\r\n\r\n";
  for (std::size_t size = 0; size <= head.size(); ++size) {
    const std::string_view begun = std::string_view(head).substr(0, size);
    EXPECT_EQ(LineFault(begun, 0), "") << size;
    EXPECT_EQ(LineFault(begun, size / 2), "") << size;
  }
}

TEST(LineFault, IsInWhatTwoReadersCouldReadInTwoWays) {
  EXPECT_NE(LineFault("GET / HTTP/1.1\nHost: x\r\n\r\n", 0), "");
  EXPECT_NE(LineFault("\n", 0), "");
  EXPECT_NE(LineFault("GET / HTTP/1.1\r\nA: b\rc\r\n", 0), "");
  EXPECT_NE(LineFault("GET / HTTP/1.1\r\nA: b\r\n c\r\n", 0), "");
  EXPECT_NE(LineFault("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n", 0), "");
  EXPECT_NE(LineFault(std::string_view("GET /\0 HTTP/1.1\r\n", 17), 0), "");
}

TEST(LineFault, IsSeenAsSoonAsItIsThere) {
  const std::string head = "GET / HTTP/1.1\r\n ";
  EXPECT_EQ(LineFault(head.substr(0, head.size() - 1), 0), "");
  EXPECT_NE(LineFault(head, head.size() - 2), "");
}

TEST(WriteHead, SaysHowTheBodyEnds) {
  const Metadata fields = {{"x-a", "b"}};
  std::string head;
  WriteHead({.status = 404, .fields = &fields, .framing = Framing::kLength, .length = 7}, head);
  EXPECT_THAT(head, MatchesRegex("HTTP/1.1 404 Not Found\r\nDate: [A-Z][a-z][a-z], [0-9][0-9] "
                                 "[A-Z][a-z][a-z] [0-9]* [0-9:]* GMT\r\nx-a: b\r\n"
                                 "Content-Length: 7\r\n\r\n"));
  head.clear();
  WriteHead({.status = 499, .fields = &fields, .framing = Framing::kChunked, .close = true}, head);
  EXPECT_THAT(head, MatchesRegex("HTTP/1.1 499 Client Closed Request\r\n.*\r\n"
                                 "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"));
}

TEST(WriteChunk, LeavesOutWhatWouldEndTheBody) {
  std::string out;
  WriteChunk("", out);
  EXPECT_EQ(out, "");
  WriteChunk("0123456789abcdef!", out);
  EXPECT_EQ(out, "11\r\n0123456789abcdef!\r\n");
  WriteLastChunk(out);
  EXPECT_TRUE(out.ends_with("!\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace micro::http1
