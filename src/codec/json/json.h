#pragma once

#include "micro/codec.h"

namespace micro {

/// Protocol Buffers' JSON mapping. Reads both spellings of field names, rejects unknown members,
/// and takes the empty text and `null` for an empty message; writes names as in the .proto file, as
/// go-micro does from v2.4 on.
class JsonCodec final : public Codec {
 public:
  std::string_view name() const override { return "json"; }
  Status Encode(const google::protobuf::Message& message, std::string& out) const override;
  Status Decode(std::string_view bytes, google::protobuf::Message& message) const override;
};

}  // namespace micro
