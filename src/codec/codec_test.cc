#include "micro/codec.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/api.pb.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include "micro/plugins.h"
#include "micro/testing/codec_conformance.h"

#include "codec/bytes/bytes.h"
#include "codec/json/json.h"
#include "codec/proto/proto.h"

namespace micro::testing {

// google.protobuf.Method: strings, bools and lists. Its fields have names of several words.
struct MethodMessages {
  using Message = google::protobuf::Method;

  static std::vector<Message> Messages() {
    std::vector<Message> messages(3);
    messages[1].set_request_type_url("type.googleapis.com/a <&> \xc3\xbc");
    messages[1].set_request_streaming(true);
    messages[2].set_name("two");
    messages[2].set_syntax(google::protobuf::SYNTAX_PROTO3);
    messages[2].add_options()->set_name("option");
    return messages;
  }
};

struct ProtoCodecs : MethodMessages {
  std::shared_ptr<const Codec> Make() { return std::make_shared<ProtoCodec>(); }
  std::vector<std::string> Broken() { return {"\x0a\x05h", "{}", "\x0f"}; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Proto, CodecConformance, ProtoCodecs);

struct JsonCodecs : MethodMessages {
  std::shared_ptr<const Codec> Make() { return std::make_shared<JsonCodec>(); }
  std::vector<std::string> Broken() {
    return {"{",   "[]",       "7", "\"text\"", R"({"name":7})", R"({"name":"a"} more)",
            "nul", "\x0a\x01x"};
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Json, CodecConformance, JsonCodecs);

struct BytesCodecs {
  using Message = google::protobuf::BytesValue;

  std::shared_ptr<const Codec> Make() { return std::make_shared<BytesCodec>(); }
  std::vector<Message> Messages() {
    std::vector<Message> messages(3);
    messages[1].set_value("text");
    messages[2].set_value(std::string("\0\xff\n", 3));
    return messages;
  }
  std::vector<std::string> Broken() { return {}; }  // all bytes are bytes
};
INSTANTIATE_TYPED_TEST_SUITE_P(Bytes, CodecConformance, BytesCodecs);

using google::protobuf::Method;
using google::protobuf::UninterpretedOption;

Result<Method> ReadJson(std::string_view json) {
  Method method;
  if (Status read = JsonCodec().Decode(json, method); !read) return Failure(read.error());
  return method;
}

TEST(JsonCodecTest, ReadsBothSpellingsOfAName) {
  EXPECT_EQ(ReadJson(R"({"request_type_url":"a"})")->request_type_url(), "a");
  EXPECT_EQ(ReadJson(R"({"requestTypeUrl":"a"})")->request_type_url(), "a");
}

TEST(JsonCodecTest, WritesTheNamesOfTheProtoFile) {
  Method method;
  method.set_request_type_url("a");
  std::string json;
  ASSERT_TRUE(JsonCodec().Encode(method, json));
  EXPECT_EQ(json, R"({"request_type_url":"a"})");
}

TEST(JsonCodecTest, NullAndNothingAreAnEmptyMessage) {
  for (const std::string_view json : {"", "null", " \n", " null\n", "{}", "{ }"}) {
    const auto read = ReadJson(json);
    ASSERT_TRUE(read) << json;
    EXPECT_EQ(read->ByteSizeLong(), 0U);
  }
}

TEST(JsonCodecTest, NullMembersAreAbsent) { EXPECT_EQ(ReadJson(R"({"name":null})")->name(), ""); }

TEST(JsonCodecTest, UnknownMembersAreRefusedByName) {
  const auto read = ReadJson(R"({"nmae":"a"})");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  EXPECT_NE(read.error().detail().find("nmae"), std::string::npos) << read.error().detail();
}

TEST(JsonCodecTest, LongNumbersAreText) {
  UninterpretedOption option;
  option.set_negative_int_value(-9'007'199'254'740'993);
  option.set_string_value(std::string("\0\xff", 2));
  std::string json;
  ASSERT_TRUE(JsonCodec().Encode(option, json));
  EXPECT_EQ(json, R"({"negative_int_value":"-9007199254740993","string_value":"AP8="})");
}

TEST(JsonCodecTest, LongNumbersAreReadAsTextAndAsNumbers) {
  for (const std::string_view json :
       {R"({"positiveIntValue":"42"})", R"({"positive_int_value":42})"}) {
    UninterpretedOption option;
    ASSERT_TRUE(JsonCodec().Decode(json, option)) << json;
    EXPECT_EQ(option.positive_int_value(), 42U);
  }
}

TEST(JsonCodecTest, EnumsGoByName) {
  Method method;
  method.set_syntax(google::protobuf::SYNTAX_PROTO3);
  std::string json;
  ASSERT_TRUE(JsonCodec().Encode(method, json));
  EXPECT_EQ(json, R"({"syntax":"SYNTAX_PROTO3"})");
}

TEST(JsonCodecTest, WhatCannotBeWrittenIsInternal) {
  google::protobuf::Any any;
  any.set_type_url("type.googleapis.com/no.such.Type");
  any.set_value("x");
  std::string json;
  const Status written = JsonCodec().Encode(any, json);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Code::kInternal);
}

TEST(JsonCodecTest, DeepNestingIsRefused) {
  google::protobuf::DescriptorProto message;
  std::string json;
  for (int i = 0; i < 100'000; ++i) json += R"({"nested_type":[)";
  const Status read = JsonCodec().Decode(json, message);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
}

TEST(BytesCodecTest, OtherMessagesCannotTravelRaw) {
  Method method;
  std::string bytes;
  for (const Status& status :
       {BytesCodec().Encode(method, bytes), BytesCodec().Decode("x", method)}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
    EXPECT_NE(status.error().detail().find("google.protobuf.Method"), std::string::npos);
  }
}

std::string NameFor(std::string_view content_type) {
  const Plugins plugins = DefaultPlugins();
  const Codec* codec = plugins.codecs.Find(content_type);
  return codec == nullptr ? "none" : std::string(codec->name());
}

TEST(CodecsTest, GoMicrosContentTypesAreKnown) {
  for (const std::string_view type :
       {"application/grpc", "application/grpc+proto", "application/proto", "application/protobuf",
        "application/octet-stream"}) {
    EXPECT_EQ(NameFor(type), "proto") << type;
  }
  EXPECT_EQ(NameFor("application/json"), "json");
  EXPECT_EQ(NameFor("application/grpc+json"), "json");
  EXPECT_EQ(NameFor("application/grpc+bytes"), "bytes");
}

TEST(CodecsTest, LetterCaseAndParametersDoNotMatter) {
  EXPECT_EQ(NameFor("Application/JSON; charset=utf-8"), "json");
  EXPECT_EQ(NameFor("application/json ;x=y"), "json");
}

TEST(CodecsTest, OthersAreNotFound) {
  for (const std::string_view type : {"", ";", " ", "text/plain", "application/grpc+", "json"}) {
    EXPECT_EQ(NameFor(type), "none") << type;
  }
}

TEST(CodecsTest, TheLastOneForAContentTypeCounts) {
  Codecs codecs;
  codecs.Add(std::make_shared<JsonCodec>(), {"application/x"});
  codecs.Add(std::make_shared<ProtoCodec>(), {"Application/X"});
  EXPECT_EQ(codecs.Find("application/x")->name(), "proto");
  EXPECT_EQ(codecs.Find("application/grpc+json")->name(), "json");
  EXPECT_EQ(codecs.FindByName("json")->name(), "json");
  EXPECT_EQ(codecs.FindByName("bytes"), nullptr);
  EXPECT_EQ(codecs.Known(), "application/grpc+json, application/grpc+proto, application/x");
}

}  // namespace micro::testing
