#pragma once

#include <map>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/printer.h>

namespace micro::codegen {

void PrintHeader(const google::protobuf::FileDescriptor& file,
                 google::protobuf::io::Printer& printer);
void PrintSource(const google::protobuf::FileDescriptor& file,
                 google::protobuf::io::Printer& printer);

/// What templates of code may name between dollar signs.
using Variables = std::map<std::string, std::string>;
Variables VariablesOf(const google::protobuf::FileDescriptor& file);
Variables VariablesOf(const google::protobuf::ServiceDescriptor& service);
Variables VariablesOf(const google::protobuf::MethodDescriptor& method);

/// Prints `body` within the namespace of `file`.
template <typename F>
void InNamespace(const Variables& vars, google::protobuf::io::Printer& printer, F body) {
  const bool has_namespace = !vars.at("namespace").empty();
  if (has_namespace) printer.Print(vars, "\nnamespace $namespace$ {\n");
  body();
  if (has_namespace) printer.Print(vars, "\n}  // namespace $namespace$\n");
}

}  // namespace micro::codegen
