#include "transport/grpc/message_reader.h"

#include <vector>

#include <gtest/gtest.h>

namespace micro::grpc {
namespace {

constexpr std::size_t kLimit = 1U << 20U;

std::string Frame(std::string_view message) {
  std::string frame(5, '\0');
  frame += message;
  WritePrefix(frame);
  return frame;
}

std::vector<std::string> TakeAll(MessageReader& reader) {
  std::vector<std::string> messages;
  while (reader.ready()) {
    std::string message;
    EXPECT_TRUE(reader.Take(message));
    messages.push_back(message);
  }
  return messages;
}

TEST(MessageReaderTest, ThePrefixHoldsTheSizeInNetworkOrder) {
  std::string frame(5 + 0x010203, 'x');
  WritePrefix(frame);
  EXPECT_EQ(frame.substr(0, 5), std::string("\0\0\x01\x02\x03", 5));
}

TEST(MessageReaderTest, ReadsOneMessage) {
  MessageReader reader(kLimit);
  EXPECT_FALSE(reader.ready());
  ASSERT_TRUE(reader.Append(Frame("john")));
  EXPECT_EQ(TakeAll(reader), std::vector<std::string>{"john"});
  EXPECT_FALSE(reader.within());
}

TEST(MessageReaderTest, AnEmptyMessageIsAMessage) {
  MessageReader reader(kLimit);
  ASSERT_TRUE(reader.Append(Frame("")));
  EXPECT_EQ(TakeAll(reader), std::vector<std::string>{""});
}

TEST(MessageReaderTest, MessagesMayBeCutAnywhere) {
  const std::vector<std::string> messages = {"", "a", "two", "", std::string(300, 'x')};
  std::string bytes;
  for (const std::string& message : messages) bytes += Frame(message);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    MessageReader reader(kLimit);
    ASSERT_TRUE(reader.Append(bytes.substr(0, cut)));
    std::vector<std::string> read = TakeAll(reader);
    ASSERT_TRUE(reader.Append(bytes.substr(cut)));
    for (std::string& message : TakeAll(reader)) read.push_back(std::move(message));
    EXPECT_EQ(read, messages) << "cut at " << cut;
  }
}

TEST(MessageReaderTest, MessagesMayComeByteByByteWithoutBeingTaken) {
  const std::string bytes = Frame("one") + Frame("two") + Frame("three");
  MessageReader reader(kLimit);
  for (const char byte : bytes) ASSERT_TRUE(reader.Append({&byte, 1}));
  EXPECT_EQ(TakeAll(reader), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(reader.waiting(), 0U);
}

TEST(MessageReaderTest, SaysWhetherAMessageHasBegun) {
  MessageReader reader(kLimit);
  const std::string frame = Frame("john");
  for (std::size_t i = 0; i + 1 < frame.size(); ++i) {
    EXPECT_EQ(reader.within(), i > 0);
    ASSERT_TRUE(reader.Append(frame.substr(i, 1)));
  }
  EXPECT_TRUE(reader.within());
  ASSERT_TRUE(reader.Append(frame.substr(frame.size() - 1)));
  EXPECT_FALSE(reader.within());
}

TEST(MessageReaderTest, CountsWhatWaitsBehindTheMessage) {
  MessageReader reader(kLimit);
  ASSERT_TRUE(reader.Append(Frame("one") + Frame("two")));
  EXPECT_EQ(reader.waiting(), Frame("two").size());
}

TEST(MessageReaderTest, AMessageOfTheLimitPasses) {
  MessageReader reader(8);
  ASSERT_TRUE(reader.Append(Frame("12345678")));
  EXPECT_TRUE(reader.ready());
}

TEST(MessageReaderTest, AMessageOverTheLimitIsRefusedByItsPrefix) {
  MessageReader reader(8);
  const Status status = reader.Append(Frame("123456789").substr(0, 5));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kResourceExhausted);
  EXPECT_NE(status.error().detail().find("--max_message_size"), std::string::npos);
}

TEST(MessageReaderTest, TheLimitHoldsForMessagesThatWaited) {
  MessageReader reader(8);
  ASSERT_TRUE(reader.Append(Frame("ok") + Frame("123456789")));
  std::string message;
  const Status status = reader.Take(message);
  EXPECT_EQ(message, "ok");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kResourceExhausted);
}

TEST(MessageReaderTest, LengthsOfFourGigabytesAreRefusedWithoutMemory) {
  MessageReader reader(kLimit);
  EXPECT_FALSE(reader.Append(std::string("\0\xff\xff\xff\xff", 5)));
}

TEST(MessageReaderTest, FlagsNobodyAgreedOnAreInternal) {
  for (const char flags : {'\x01', '\x02', '\x80', '\xff'}) {
    MessageReader reader(kLimit);
    const Status status = reader.Append(std::string{flags, 0, 0, 0, 0});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Code::kInternal);
  }
}

std::string Compressed(std::string message) {
  message.insert(0, 5, '\0');
  WriteCompressed(message);
  return message;
}

TEST(MessageReaderTest, InflatesWhatIsCompressed) {
  const std::string message(10'000, 'm');
  const std::string frame = Compressed(message);
  EXPECT_LT(frame.size(), 200U);
  EXPECT_EQ(frame[0], 1);
  MessageReader reader(kLimit);
  reader.set_compression(Compression::kGzip);
  ASSERT_TRUE(reader.Append(frame + Frame("plain") + frame));
  EXPECT_EQ(TakeAll(reader), (std::vector<std::string>{message, "plain", message}));
}

TEST(MessageReaderTest, WhatWouldNotShrinkIsSentAsItIs) {
  EXPECT_EQ(Compressed("abc"), Frame("abc"));
  EXPECT_EQ(Compressed(""), Frame(""));
}

TEST(MessageReaderTest, WhatInflatesBeyondTheLimitIsRefused) {
  MessageReader reader(kLimit);
  reader.set_compression(Compression::kGzip);
  const Status status = reader.Append(Compressed(std::string(kLimit + 1, 'm')));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kResourceExhausted);
}

TEST(MessageReaderTest, WhatIsNoGzipIsInternal) {
  std::string frame = Frame("no gzip");
  frame[0] = 1;
  MessageReader reader(kLimit);
  reader.set_compression(Compression::kGzip);
  const Status status = reader.Append(frame);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kInternal);
}

TEST(MessageReaderTest, ClearForgetsEverything) {
  MessageReader reader(kLimit);
  ASSERT_TRUE(reader.Append(Frame("one") + Frame("two")));
  reader.Clear();
  EXPECT_FALSE(reader.ready());
  EXPECT_FALSE(reader.within());
  EXPECT_EQ(reader.waiting(), 0U);
  ASSERT_TRUE(reader.Append(Frame("three")));
  EXPECT_EQ(TakeAll(reader), std::vector<std::string>{"three"});
}

}  // namespace
}  // namespace micro::grpc
