#include "broker/envelope.h"

#include <gtest/gtest.h>

namespace micro::broker {
namespace {

RawMessage Read(std::string_view text) {
  auto read = ReadEnvelope(text);
  EXPECT_TRUE(read) << text << ": " << read.error().detail();
  return read.value_or(RawMessage{.body = "unreadable"});
}

std::string Refused(std::string_view text) {
  const auto read = ReadEnvelope(text);
  return read ? "accepted" : read.error().detail();
}

// As go-micro v2.9.1 writes it.
constexpr std::string_view kGo =
    R"({"Header":{"Content-Type":"application/grpc+proto","Micro-From-Service":"go.micro.srv.me",)"
    R"("Micro-Topic":"topic.a"},"Body":"CgZqbzxobiY="})";

TEST(EnvelopeTest, ReadsWhatGoMicroWrites) {
  const RawMessage message = Read(kGo);
  EXPECT_EQ(message.body, "\n\x06jo<hn&");
  EXPECT_EQ(message.metadata, (Metadata{{"content-type", "application/grpc+proto"},
                                        {"micro-from-service", "go.micro.srv.me"},
                                        {"micro-topic", "topic.a"}}));
}

TEST(EnvelopeTest, WritesAsGoMicroDoes) {
  const RawMessage message{.metadata = {{"content-type", "application/grpc+proto"},
                                        {"micro-from-service", "go.micro.srv.me"},
                                        {"micro-topic", "topic.a"}},
                           .body = "\n\x06jo<hn&"};
  EXPECT_EQ(WriteEnvelope(message), kGo);
  EXPECT_EQ(WriteEnvelope({}), R"({"Header":{},"Body":""})");
}

TEST(EnvelopeTest, WhatIsWrittenComesBack) {
  RawMessage message{
      .metadata = {{"größe", "日本"}, {"key", "with \"quotes\", a \\ and \n\t\x01"}}};
  for (int i = 0; i < 256; ++i) message.body.push_back(static_cast<char>(i));
  EXPECT_EQ(Read(WriteEnvelope(message)), message);
}

TEST(EnvelopeTest, OfAKeyThatRepeatsTheLastValueIsWritten) {
  EXPECT_EQ(WriteEnvelope({.metadata = {{"a", "1"}, {"b", "2"}, {"a", "3"}}}),
            R"({"Header":{"B":"2","A":"3"},"Body":""})");
}

TEST(EnvelopeTest, MembersMayBeNullMissingOrInAnyCase) {
  EXPECT_EQ(Read(R"({"Header":null,"Body":null})"), RawMessage());
  EXPECT_EQ(Read("{}"), RawMessage());
  EXPECT_EQ(Read(R"( { "BODY" : "aGk=" , "header" : { "a" : null } } )"),
            (RawMessage{.metadata = {{"a", ""}}, .body = "hi"}));
  EXPECT_EQ(Read(R"({"Header":{"A":"1"},"Body":"aGk=","Id":[{"x":1}]})"),
            (RawMessage{.metadata = {{"a", "1"}}, .body = "hi"}));
  EXPECT_EQ(Read(R"({"body":"eA==","Body":"aGk="})").body, "hi");
}

TEST(EnvelopeTest, EscapesAreRead) {
  EXPECT_EQ(Read(R"({"Header":{"A":"\u003ca\u003e \ud83d\ude00\n"},"Body":""})").metadata.Get("a"),
            "<a> \U0001F600\n");
}

TEST(EnvelopeTest, WhatIsNoEnvelopeIsRefused) {
  for (const std::string text :
       {"", "hello", "null", "[]", "1", "{", R"({"Header":1})", R"({"Header":{"a":1}})",
        R"({"Header":{"a":"b"},"Body":"!"})", R"({"Body":1})", R"({"Body":"aGk"})",
        "{\"Header\":{\"a\":\"\xff\"},\"Body\":\"\"}", R"({"Header":{},"Body":""}x)"}) {
    EXPECT_NE(Refused(text), "accepted") << text;
  }
}

TEST(EnvelopeTest, DepthAndKeysAreBounded) {
  const std::string deep = R"({"x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_NE(Refused(deep), "accepted");
  std::string many = R"({"Header":{)";
  for (std::size_t i = 0; i <= kMaxKeys; ++i) many += "\"k" + std::to_string(i) + "\":\"\",";
  many.pop_back();
  EXPECT_NE(Refused(many + R"(},"Body":""})"), "accepted");
}

TEST(EnvelopeTest, ThePlainReaderTakesWhatIsWritten) {
  RawMessage message;
  EXPECT_TRUE(ReadPlainEnvelope(kGo, message));
  EXPECT_EQ(message, Read(kGo));
  EXPECT_TRUE(ReadPlainEnvelope(R"({"Header":{},"Body":""})", message));
  EXPECT_EQ(message, RawMessage());
  EXPECT_FALSE(ReadPlainEnvelope(R"({"Header":{"A":"1","a":"2"},"Body":""})", message));
}

}  // namespace
}  // namespace micro::broker
