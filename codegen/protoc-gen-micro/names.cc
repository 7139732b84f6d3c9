#include "names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string_view>

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>

namespace micro::codegen {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using google::protobuf::compiler::cpp::QualifiedClassName;

constexpr auto kKeywords = std::to_array<std::string_view>({
    "NULL",         "alignas",   "alignof",       "and",
    "and_eq",       "asm",       "auto",          "bitand",
    "bitor",        "bool",      "break",         "case",
    "catch",        "char",      "char16_t",      "char32_t",
    "char8_t",      "class",     "co_await",      "co_return",
    "co_yield",     "compl",     "concept",       "const",
    "const_cast",   "consteval", "constexpr",     "constinit",
    "continue",     "decltype",  "default",       "delete",
    "do",           "double",    "dynamic_cast",  "else",
    "enum",         "explicit",  "export",        "extern",
    "false",        "float",     "for",           "friend",
    "goto",         "if",        "inline",        "int",
    "long",         "mutable",   "namespace",     "new",
    "noexcept",     "not",       "not_eq",        "nullptr",
    "operator",     "or",        "or_eq",         "private",
    "protected",    "public",    "register",      "reinterpret_cast",
    "requires",     "return",    "short",         "signed",
    "sizeof",       "static",    "static_assert", "static_cast",
    "struct",       "switch",    "template",      "this",
    "thread_local", "throw",     "true",          "try",
    "typedef",      "typeid",    "typename",      "union",
    "unsigned",     "using",     "virtual",       "void",
    "volatile",     "wchar_t",   "while",         "xor",
    "xor_eq",
});
static_assert(std::ranges::is_sorted(kKeywords));

/// Members that generated classes have beside the methods.
constexpr auto kMembers =
    std::to_array<std::string_view>({"client_", "methods", "name", "service_"});

bool IsKeyword(std::string_view word) { return std::ranges::binary_search(kKeywords, word); }

bool IsTaken(const MethodDescriptor& method) {
  const std::string& name = method.name();
  const ServiceDescriptor& service = *method.service();
  return IsKeyword(name) || std::ranges::binary_search(kMembers, name) ||
         name == HandlerName(service) || name == AsyncHandlerName(service) ||
         name == ClientName(service);
}

}  // namespace

std::string DescriptorTable(const FileDescriptor& file) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string name = "descriptor_table_";
  for (const char c : file.name()) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      name += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name += '_';
    if (byte >= 16) name += kHex[byte / 16];
    name += kHex[byte % 16];
  }
  return name;
}

std::string Namespace(const FileDescriptor& file) {
  // protobuf tells names of messages only, so it is asked for that of one in the same package.
  google::protobuf::FileDescriptorProto probe;
  probe.set_name("probe.proto");
  probe.set_package(file.package());
  probe.add_message_type()->set_name("M");
  google::protobuf::DescriptorPool pool;
  const std::string name = QualifiedClassName(pool.BuildFile(probe)->message_type(0));
  const std::size_t end = name.rfind("::");
  return end == 0 ? "" : name.substr(2, end - 2);
}

std::string HandlerName(const ServiceDescriptor& service) { return service.name() + "Handler"; }

std::string AsyncHandlerName(const ServiceDescriptor& service) {
  return service.name() + "AsyncHandler";
}

std::string ClientName(const ServiceDescriptor& service) { return service.name() + "Client"; }

std::string CppName(const MethodDescriptor& method) {
  return IsTaken(method) ? method.name() + "_" : method.name();
}

std::string AsyncName(const MethodDescriptor& method) { return method.name() + "Async"; }

std::string Path(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

std::vector<const MethodDescriptor*> Methods(const ServiceDescriptor& service) {
  std::vector<const MethodDescriptor*> methods;
  for (int i = 0; i < service.method_count(); ++i) methods.push_back(service.method(i));
  return methods;
}

std::size_t KindOf(const MethodDescriptor& method) {
  return (method.client_streaming() ? 1U : 0U) + (method.server_streaming() ? 2U : 0U);
}

}  // namespace micro::codegen
