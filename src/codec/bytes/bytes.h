#pragma once

#include "micro/codec.h"

namespace micro {

/// Raw bytes, as go-micro's application/grpc+bytes: a message is what it holds in its one field of
/// type bytes, such as google.protobuf.BytesValue. Other message types are refused.
class BytesCodec final : public Codec {
 public:
  std::string_view name() const override { return "bytes"; }
  Status Encode(const google::protobuf::Message& message, std::string& out) const override;
  Status Decode(std::string_view bytes, google::protobuf::Message& message) const override;
};

}  // namespace micro
