#pragma once

#include <string>

#include <google/protobuf/descriptor.h>

namespace micro::codegen {

/// Why no code can be made of `file`, with the line in it; empty: nothing is wrong.
std::string FindError(const google::protobuf::FileDescriptor& file);

}  // namespace micro::codegen
