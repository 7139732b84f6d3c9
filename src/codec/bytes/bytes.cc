#include "codec/bytes/bytes.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace micro {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* OnlyBytesField(const Message& message) {
  const auto* type = message.GetDescriptor();
  if (type->field_count() != 1) return nullptr;
  const FieldDescriptor* field = type->field(0);
  return field->type() == FieldDescriptor::TYPE_BYTES && !field->is_repeated() ? field : nullptr;
}

Failure NotRaw(const Message& message) {
  return InvalidArgument(message.GetTypeName() +
                         " cannot travel as raw bytes: it is not one field of type bytes");
}

}  // namespace

Status BytesCodec::Encode(const Message& message, std::string& out) const {
  const FieldDescriptor* field = OnlyBytesField(message);
  if (field == nullptr) return NotRaw(message);
  std::string scratch;
  out += message.GetReflection()->GetStringReference(message, field, &scratch);
  return Ok();
}

Status BytesCodec::Decode(std::string_view bytes, Message& message) const {
  const FieldDescriptor* field = OnlyBytesField(message);
  if (field == nullptr) return NotRaw(message);
  message.Clear();
  message.GetReflection()->SetString(&message, field, std::string(bytes));
  return Ok();
}

}  // namespace micro
