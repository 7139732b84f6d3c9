#pragma once

#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

namespace micro::codegen {

/// The C++ namespace of a file's package, "a::b::c", as protobuf's own generator makes it; empty
/// without a package.
std::string Namespace(const google::protobuf::FileDescriptor& file);

/// What protobuf's generator calls a file's descriptors, in the global namespace.
std::string DescriptorTable(const google::protobuf::FileDescriptor& file);

/// The classes of a service.
std::string HandlerName(const google::protobuf::ServiceDescriptor& service);
std::string AsyncHandlerName(const google::protobuf::ServiceDescriptor& service);
std::string ClientName(const google::protobuf::ServiceDescriptor& service);

/// The method as it is spelled in C++: with a trailing underscore where the proto's name is taken.
std::string CppName(const google::protobuf::MethodDescriptor& method);
/// The same for the coroutine face of clients, "HelloAsync".
std::string AsyncName(const google::protobuf::MethodDescriptor& method);

/// The method on the wire, "/helloworld.Greeter/Hello".
std::string Path(const google::protobuf::MethodDescriptor& method);

std::vector<const google::protobuf::MethodDescriptor*> Methods(
    const google::protobuf::ServiceDescriptor& service);

/// Which side of a method streams, as an index: 0 unary, 1 client, 2 server, 3 both.
std::size_t KindOf(const google::protobuf::MethodDescriptor& method);

}  // namespace micro::codegen
