// Text that is read as JSON is written and read as the same message.
#include <cstddef>
#include <string>

#include <google/protobuf/type.pb.h>

#include "codec/json/json.h"
#include "expect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const micro::JsonCodec codec;
  google::protobuf::Type message;
  const micro::Status read = codec.Decode(AsText(data, size), message);
  if (!read) Expect(read.error().code() == micro::Code::kInvalidArgument);
  if (!read) return 0;
  std::string json;
  if (!codec.Encode(message, json)) return 0;  // an Any of a type that nobody knows
  google::protobuf::Type again;
  Expect(codec.Decode(json, again).has_value());
  std::string same;
  Expect(codec.Encode(again, same).has_value());
  Expect(same == json);
  return 0;
}
