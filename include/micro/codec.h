#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"

namespace google::protobuf {
class Message;
}

namespace micro {

/// Turns messages into bytes and back, for one or more content types.
///
/// Stateless and thread-safe: one object serves all calls. Never throws.
class Codec {
 public:
  virtual ~Codec() = default;

  /// The name it goes by, and the sub-type it has on the wire: "proto" in application/grpc+proto.
  virtual std::string_view name() const = 0;

  /// Appends the encoded `message` to `out`.
  virtual Status Encode(const google::protobuf::Message& message, std::string& out) const = 0;

  /// Replaces what is in `message`. INVALID_ARGUMENT, in a sentence that says where it went wrong,
  /// for bytes that are no such message.
  virtual Status Decode(std::string_view bytes, google::protobuf::Message& message) const = 0;
};

/// The codecs of a program, by content type.
class Codecs {
 public:
  /// Adds `codec` for its content types; application/grpc+<name> always belongs to them. What was
  /// there for one of them is replaced.
  void Add(std::shared_ptr<const Codec> codec, const std::vector<std::string>& content_types);

  /// The codec for a content type, parameters such as "; charset=utf-8" left aside and letter case
  /// ignored; null when there is none.
  const Codec* Find(std::string_view content_type) const;
  /// The codec of a name; null when there is none.
  const Codec* FindByName(std::string_view name) const;

  /// All content types, sorted and joined by commas, for error messages.
  std::string Known() const;

 private:
  struct Row {
    std::string content_type;
    std::shared_ptr<const Codec> codec;
  };
  std::vector<Row> rows_;
};

}  // namespace micro
