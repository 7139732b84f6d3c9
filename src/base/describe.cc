#include "base/describe.h"

#include <string>

#include <google/protobuf/descriptor.h>

namespace micro {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// How deep go-micro v2 looks into a message.
constexpr int kLevels = 3;

std::string GoElement(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return "int32";
    case FieldDescriptor::CPPTYPE_INT64:
      return "int64";
    case FieldDescriptor::CPPTYPE_UINT32:
      return "uint32";
    case FieldDescriptor::CPPTYPE_UINT64:
      return "uint64";
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "float32";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "float64";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "bool";
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "[]uint8" : "string";
    case FieldDescriptor::CPPTYPE_ENUM:
      return field.enum_type()->name();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return field.message_type()->name();
  }
  return "";
}

std::string GoType(const FieldDescriptor& field) {
  if (field.is_map()) return "";
  return (field.is_repeated() ? "[]" : "") + GoElement(field);
}

std::vector<Value> Fields(const Descriptor& type, int levels);

Value DescribeField(const FieldDescriptor& field, int levels) {
  Value value{field.name(), GoType(field), {}};
  const bool message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (message && !field.is_repeated()) value.values = Fields(*field.message_type(), levels);
  return value;
}

std::vector<Value> Fields(const Descriptor& type, int levels) {
  std::vector<Value> values;
  for (int i = 0; levels > 0 && i < type.field_count(); ++i) {
    values.push_back(DescribeField(*type.field(i), levels - 1));
  }
  return values;
}

}  // namespace

Value Describe(const Descriptor& type) {
  return {type.name(), type.name(), Fields(type, kLevels - 1)};
}

}  // namespace micro
