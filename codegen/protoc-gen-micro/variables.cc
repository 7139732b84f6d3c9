#include <array>

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>

#include "micro/version.h"

#include "names.h"
#include "print.h"

namespace micro::codegen {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::MethodOptions;
using google::protobuf::ServiceDescriptor;
using google::protobuf::compiler::cpp::QualifiedClassName;

namespace {

constexpr std::array<const char*, 4> kKinds = {"kUnary", "kClientStream", "kServerStream",
                                               "kBidiStream"};

}  // namespace

Variables VariablesOf(const FileDescriptor& file) {
  return {
      {"proto", file.name()},
      {"base", google::protobuf::compiler::cpp::StripProto(file.name())},
      {"namespace", Namespace(file)},
      {"version", std::to_string(MICRO_CODEGEN_VERSION)},
      {"descriptors", DescriptorTable(file)},
  };
}

Variables VariablesOf(const ServiceDescriptor& service) {
  return {
      {"full_name", service.full_name()}, {"service", service.name()},
      {"Handler", HandlerName(service)},  {"AsyncHandler", AsyncHandlerName(service)},
      {"Client", ClientName(service)},
  };
}

Variables VariablesOf(const MethodDescriptor& method) {
  Variables vars = VariablesOf(*method.service());
  const auto idempotency = method.options().idempotency_level();
  const bool idempotent = idempotency != MethodOptions::IDEMPOTENCY_UNKNOWN;
  const bool safe = idempotency == MethodOptions::NO_SIDE_EFFECTS;
  vars["full_name"] = method.full_name();
  vars["Method"] = CppName(method);
  vars["MethodAsync"] = AsyncName(method);
  vars["path"] = Path(method);
  vars["kind"] = kKinds.at(KindOf(method));
  vars["idempotent"] = idempotent ? "true" : "false";
  vars["no_side_effects"] = safe ? "\n     .no_side_effects = true," : "";
  vars["Request"] = QualifiedClassName(method.input_type());
  vars["Response"] = QualifiedClassName(method.output_type());
  return vars;
}

}  // namespace micro::codegen
