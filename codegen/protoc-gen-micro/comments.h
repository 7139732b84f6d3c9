#pragma once

#include <string>

#include <google/protobuf/descriptor.h>

namespace micro::codegen {

/// What the .proto file says about a service or a method, as lines of "///"; empty if it says
/// nothing.
std::string DocOf(const google::protobuf::ServiceDescriptor& service);
std::string DocOf(const google::protobuf::MethodDescriptor& method);

}  // namespace micro::codegen
