#include "server/standard/descriptors.h"

#include <array>

#include "selector/load.pb.h"
#include "server/standard/debug.pb.h"
#include "server/standard/health.pb.h"
#include "server/standard/reflection.pb.h"

namespace micro::server {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::MethodDescriptorProto;

// Type names are fully qualified, with a dot in front.
class Mover {
 public:
  Mover(const std::string& from, const std::string& to)
      : from_("." + from + "."), to_(to.empty() ? "." : "." + to + ".") {}

  void Move(std::string& type) const {
    if (type.starts_with(from_)) type.replace(0, from_.size(), to_);
  }
  void Move(FieldDescriptorProto& field) const {
    Move(*field.mutable_type_name());
    if (field.type_name().empty()) field.clear_type_name();
  }
  void Move(DescriptorProto& message) const {
    for (auto& field : *message.mutable_field()) Move(field);
    for (auto& nested : *message.mutable_nested_type()) Move(nested);
  }
  void Move(MethodDescriptorProto& method) const {
    Move(*method.mutable_input_type());
    Move(*method.mutable_output_type());
  }

 private:
  std::string from_;
  std::string to_;
};

struct Original {
  const FileDescriptor* file;
  std::string_view name;
  std::string_view package;
};

// The names of the files are those that the originals are usually imported by.
std::array<Original, 5> Originals() {
  const FileDescriptor* const health = standard::health::HealthCheckRequest::descriptor()->file();
  const FileDescriptor* const reflection =
      standard::reflection::ErrorResponse::descriptor()->file();
  const FileDescriptor* const debug = standard::debug::StatsRequest::descriptor()->file();
  const FileDescriptor* const load = standard::load::LoadRequest::descriptor()->file();
  return {{{debug, "micro/debug.proto", ""},
           {load, "micro/load.proto", "micro"},
           {health, "grpc/health/v1/health.proto", "grpc.health.v1"},
           {reflection, "grpc/reflection/v1/reflection.proto", "grpc.reflection.v1"},
           {reflection, "grpc/reflection/v1alpha/reflection.proto", "grpc.reflection.v1alpha"}}};
}

class Silent final : public DescriptorPool::ErrorCollector {
  void AddError(const std::string& /*file*/, const std::string& /*element*/,
                const google::protobuf::Message* /*descriptor*/, ErrorLocation /*location*/,
                const std::string& /*message*/) override {}
};

// The program itself may have what an original defines: then that is what is shown.
DescriptorPool* MakePool() {
  auto* pool = new DescriptorPool(DescriptorPool::generated_pool());
  for (const Original& original : Originals()) {
    const FileDescriptorProto moved =
        MoveTo(*original.file, std::string(original.name), std::string(original.package));
    const std::string prefix = moved.package().empty() ? "" : moved.package() + ".";
    if (pool->FindFileByName(moved.name()) != nullptr) continue;
    if (pool->FindServiceByName(prefix + moved.service(0).name()) != nullptr) continue;
    Silent silent;
    pool->BuildFileCollectingErrors(moved, &silent);
  }
  return pool;
}

}  // namespace

FileDescriptorProto MoveTo(const FileDescriptor& file, const std::string& name,
                           const std::string& package) {
  FileDescriptorProto moved;
  file.CopyTo(&moved);
  const Mover mover(moved.package(), package);
  moved.set_name(name);
  moved.set_package(package);
  for (auto& message : *moved.mutable_message_type()) mover.Move(message);
  for (auto& service : *moved.mutable_service()) {
    for (auto& method : *service.mutable_method()) mover.Move(method);
  }
  return moved;
}

const DescriptorPool& KnownDescriptors() {
  static const DescriptorPool* const pool = MakePool();
  return *pool;
}

}  // namespace micro::server
