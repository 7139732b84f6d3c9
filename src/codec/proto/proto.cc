#include "codec/proto/proto.h"

#include <limits>

#include <google/protobuf/message.h>

namespace micro {

Status ProtoCodec::Encode(const google::protobuf::Message& message, std::string& out) const {
  const std::size_t size = message.ByteSizeLong();
  if (size > std::numeric_limits<int>::max()) {
    return ResourceExhausted(message.GetTypeName() + " is over 2 GiB");
  }
  const std::size_t before = out.size();
  // The result is said outright: GCC 12 hands the capacity over as the size.
  out.resize_and_overwrite(before + size, [&](char* bytes, std::size_t) {
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(bytes) + before);
    return before + size;
  });
  return Ok();
}

Status ProtoCodec::Decode(std::string_view bytes, google::protobuf::Message& message) const {
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Ok();
  return InvalidArgument("the bytes are no " + message.GetTypeName() + " in protobuf's encoding");
}

}  // namespace micro
