#include "check.h"

#include <map>

#include <google/protobuf/descriptor.pb.h>

#include "names.h"

namespace micro::codegen {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileOptions;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using google::protobuf::SourceLocation;

template <typename T>
std::string Line(const T& item) {
  SourceLocation at;
  return item.GetSourceLocation(&at) ? "line " + std::to_string(at.start_line + 1) + ": " : "";
}

/// C++ names, and what they were made for.
template <typename T>
using Names = std::map<std::string, const T*>;

/// Enters `name` for `item`; an error when it is there.
template <typename T>
std::string Enter(Names<T>& names, const std::string& name, const T& item) {
  auto [entry, is_new] = names.emplace(name, &item);
  if (is_new) return {};
  return Line(item) + entry->second->full_name() + " and " + item.full_name() + " would both be " +
         name + " in C++: rename one of them";
}

std::string CheckMethodName(const MethodDescriptor& method, Names<MethodDescriptor>& names) {
  std::string error = Enter(names, CppName(method), method);
  return error.empty() ? Enter(names, AsyncName(method), method) : error;
}

std::string CheckMessage(const MethodDescriptor& method, const Descriptor& message) {
  if (message.file()->options().optimize_for() != FileOptions::LITE_RUNTIME) return {};
  return Line(method) + message.full_name() +
         " has no descriptor, which micro needs: " + message.file()->name() +
         " says optimize_for = LITE_RUNTIME";
}

std::string CheckMethod(const MethodDescriptor& method, Names<MethodDescriptor>& names) {
  std::string error = CheckMethodName(method, names);
  if (error.empty()) error = CheckMessage(method, *method.input_type());
  if (error.empty()) error = CheckMessage(method, *method.output_type());
  return error;
}

std::string CheckMethods(const ServiceDescriptor& service) {
  Names<MethodDescriptor> names;
  for (const MethodDescriptor* method : Methods(service)) {
    if (std::string error = CheckMethod(*method, names); !error.empty()) return error;
  }
  return {};
}

/// An error when a type of the package has the name of a class that is made for `service`.
std::string CheckTypes(const ServiceDescriptor& service, const std::string& name) {
  const FileDescriptor& file = *service.file();
  const std::string type = file.package().empty() ? name : file.package() + "." + name;
  const DescriptorPool& pool = *file.pool();
  if (!pool.FindMessageTypeByName(type) && !pool.FindEnumTypeByName(type)) return {};
  return Line(service) + type + " has the name of a class that is made for service " +
         service.full_name() + ": rename one of them";
}

std::string CheckService(const ServiceDescriptor& service, Names<ServiceDescriptor>& names) {
  for (const auto& name : {HandlerName(service), AsyncHandlerName(service), ClientName(service)}) {
    std::string error = Enter(names, name, service);
    if (error.empty()) error = CheckTypes(service, name);
    if (!error.empty()) return error;
  }
  return CheckMethods(service);
}

}  // namespace

std::string FindError(const FileDescriptor& file) {
  Names<ServiceDescriptor> names;
  for (int i = 0; i < file.service_count(); ++i) {
    if (std::string error = CheckService(*file.service(i), names); !error.empty()) return error;
  }
  return {};
}

}  // namespace micro::codegen
