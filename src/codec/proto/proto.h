#pragma once

#include "micro/codec.h"

namespace micro {

/// Protocol Buffers' own encoding, the default.
class ProtoCodec final : public Codec {
 public:
  std::string_view name() const override { return "proto"; }
  Status Encode(const google::protobuf::Message& message, std::string& out) const override;
  Status Decode(std::string_view bytes, google::protobuf::Message& message) const override;
};

}  // namespace micro
