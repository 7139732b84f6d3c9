#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

namespace micro::server {

/// `file` as if it had been written in another package and under another name.
google::protobuf::FileDescriptorProto MoveTo(const google::protobuf::FileDescriptor& file,
                                             const std::string& name, const std::string& package);

/// Everything this program knows the shape of: what is linked, and the standard services under the
/// names that the world knows them by. Thread-safe, and never destroyed.
const google::protobuf::DescriptorPool& KnownDescriptors();

}  // namespace micro::server
