#pragma once

#include <algorithm>
#include <atomic>
#include <cctype>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "micro/codec.h"

/// What every codec has to do, as tests. For a codec of one's own:
///
///     struct MyCodecs {
///       std::shared_ptr<const micro::Codec> Make();
///       using Message = my::Message;      // a type that it can carry
///       std::vector<my::Message> Messages();  // some values, all different, one of them empty
///       std::vector<std::string> Broken();    // bytes that are no my::Message
///     };
///     INSTANTIATE_TYPED_TEST_SUITE_P(Mine, CodecConformance, MyCodecs);
///
/// in namespace micro::testing.
namespace micro::testing {

template <typename Codecs>
class CodecConformance : public ::testing::Test {
 protected:
  using Message = typename Codecs::Message;

  static bool Same(const Message& a, const Message& b) {
    return google::protobuf::util::MessageDifferencer::Equals(a, b);
  }

  std::string Encode(const Message& message) {
    std::string bytes;
    EXPECT_TRUE(codec_->Encode(message, bytes));
    return bytes;
  }

  bool ComesBack(const Message& message) {
    Message read;
    return codec_->Decode(Encode(message), read) && Same(read, message);
  }

  Codecs codecs_;
  std::shared_ptr<const Codec> codec_ = codecs_.Make();
};

TYPED_TEST_SUITE_P(CodecConformance);

TYPED_TEST_P(CodecConformance, NameIsAWordInLowerCase) {
  const std::string name(this->codec_->name());
  EXPECT_FALSE(name.empty());
  EXPECT_TRUE(std::ranges::all_of(name, [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '.' || c == '_';
  })) << name;
}

TYPED_TEST_P(CodecConformance, MessagesComeBackAsTheyWere) {
  for (const auto& message : this->codecs_.Messages()) {
    EXPECT_TRUE(this->ComesBack(message)) << message.ShortDebugString();
  }
}

TYPED_TEST_P(CodecConformance, EncodingAppends) {
  for (const auto& message : this->codecs_.Messages()) {
    std::string bytes = "ahead";
    ASSERT_TRUE(this->codec_->Encode(message, bytes));
    EXPECT_EQ(bytes, "ahead" + this->Encode(message));
  }
}

TYPED_TEST_P(CodecConformance, DecodingReplacesWhatWasThere) {
  const auto messages = this->codecs_.Messages();
  for (const auto& before : messages) {
    for (const auto& after : messages) {
      auto message = before;
      ASSERT_TRUE(this->codec_->Decode(this->Encode(after), message));
      EXPECT_TRUE(this->Same(message, after)) << message.ShortDebugString();
    }
  }
}

TYPED_TEST_P(CodecConformance, BrokenBytesAreRefusedInASentence) {
  for (const std::string& bytes : this->codecs_.Broken()) {
    typename TypeParam::Message message;
    const Status status = this->codec_->Decode(bytes, message);
    ASSERT_FALSE(status) << bytes;
    EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
    EXPECT_FALSE(status.error().detail().empty());
  }
}

TYPED_TEST_P(CodecConformance, SeveralThreadsMayUseIt) {
  const auto messages = this->codecs_.Messages();
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        for (const auto& message : messages) failures += this->ComesBack(message) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

REGISTER_TYPED_TEST_SUITE_P(CodecConformance, NameIsAWordInLowerCase, MessagesComeBackAsTheyWere,
                            EncodingAppends, DecodingReplacesWhatWasThere,
                            BrokenBytesAreRefusedInASentence, SeveralThreadsMayUseIt);

}  // namespace micro::testing
