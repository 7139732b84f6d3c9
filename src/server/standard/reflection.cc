#include "server/standard/reflection.h"

#include <algorithm>
#include <set>
#include <utility>

#include "server/standard/descriptors.h"
#include "server/standard/known_as.h"
#include "server/standard/reflection.micro.h"

namespace micro::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using standard::reflection::ExtensionRequest;
using standard::reflection::FileDescriptorResponse;
using standard::reflection::ServerReflectionRequest;
using standard::reflection::ServerReflectionResponse;

// Answers the questions of one stream; files that it was given already are not sent again as
// another one's dependencies.
class Answers {
 public:
  explicit Answers(const std::vector<std::string>& services) : services_(services) {}

  ServerReflectionResponse Answer(const ServerReflectionRequest& request) {
    ServerReflectionResponse response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    if (Status found = Find(request, response); !found) {
      auto& error = *response.mutable_error_response();
      error.set_error_code(static_cast<int>(found.error().code()));
      error.set_error_message(found.error().detail());
    }
    return response;
  }

 private:
  Status Find(const ServerReflectionRequest& request, ServerReflectionResponse& response) {
    switch (request.message_request_case()) {
      case ServerReflectionRequest::kFileByFilename:
        return Files(pool_.FindFileByName(request.file_by_filename()), request.file_by_filename(),
                     response);
      case ServerReflectionRequest::kFileContainingSymbol:
        return Files(pool_.FindFileContainingSymbol(request.file_containing_symbol()),
                     request.file_containing_symbol(), response);
      case ServerReflectionRequest::kFileContainingExtension:
        return FileOfExtension(request.file_containing_extension(), response);
      case ServerReflectionRequest::kAllExtensionNumbersOfType:
        return Extensions(request.all_extension_numbers_of_type(), response);
      case ServerReflectionRequest::kListServices:
        for (const std::string& name : services_) {
          response.mutable_list_services_response()->add_service()->set_name(name);
        }
        return Ok();
      case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
        return InvalidArgument("the request asks for nothing");
    }
    return InvalidArgument("the request asks for what is not known here");
  }

  Status Files(const FileDescriptor* file, const std::string& what,
               ServerReflectionResponse& response) {
    if (file == nullptr) return NotFound(what + " is not known here");
    sent_.erase(file->name());
    AddWithDependencies(*file, *response.mutable_file_descriptor_response());
    return Ok();
  }

  void AddWithDependencies(const FileDescriptor& file, FileDescriptorResponse& files) {
    if (!sent_.insert(file.name()).second) return;
    google::protobuf::FileDescriptorProto proto;
    file.CopyTo(&proto);
    files.add_file_descriptor_proto(proto.SerializeAsString());
    for (int i = 0; i < file.dependency_count(); ++i) {
      AddWithDependencies(*file.dependency(i), files);
    }
  }

  Status FileOfExtension(const ExtensionRequest& request, ServerReflectionResponse& response) {
    const std::string what = "extension " + std::to_string(request.extension_number()) + " of " +
                             request.containing_type();
    const Descriptor* const type = pool_.FindMessageTypeByName(request.containing_type());
    const FieldDescriptor* const extension =
        type == nullptr ? nullptr : pool_.FindExtensionByNumber(type, request.extension_number());
    return Files(extension == nullptr ? nullptr : extension->file(), what, response);
  }

  Status Extensions(const std::string& name, ServerReflectionResponse& response) {
    const Descriptor* const type = pool_.FindMessageTypeByName(name);
    if (type == nullptr) return NotFound(name + " is not known here");
    std::vector<const FieldDescriptor*> extensions;
    pool_.FindAllExtensions(type, &extensions);
    auto& numbers = *response.mutable_all_extension_numbers_response();
    numbers.set_base_type_name(name);
    for (const FieldDescriptor* extension : extensions) {
      numbers.add_extension_number(extension->number());
    }
    std::sort(numbers.mutable_extension_number()->begin(),
              numbers.mutable_extension_number()->end());
    return Ok();
  }

  const google::protobuf::DescriptorPool& pool_ = KnownDescriptors();
  const std::vector<std::string> services_;
  std::set<std::string> sent_;
};

std::string NameOf(ReflectionVersion version) {
  return version == ReflectionVersion::kV1 ? "grpc.reflection.v1.ServerReflection"
                                           : "grpc.reflection.v1alpha.ServerReflection";
}

class ReflectionHandler final : public KnownAs<standard::reflection::ServerReflectionAsyncHandler> {
 public:
  ReflectionHandler(ReflectionVersion version, std::function<std::vector<std::string>()> services)
      : KnownAs(NameOf(version)), services_(std::move(services)) {}

  Task<Status> ServerReflectionInfo(
      Context& /*context*/,
      AsyncServerStream<ServerReflectionRequest, ServerReflectionResponse> stream) override {
    Answers answers(services_());
    ServerReflectionRequest request;
    while (co_await stream.Read(request)) {
      const ServerReflectionResponse response = answers.Answer(request);
      if (!co_await stream.Write(response)) break;
    }
    co_return stream.status();
  }

 private:
  std::function<std::vector<std::string>()> services_;
};

}  // namespace

std::shared_ptr<Handler> MakeReflectionHandler(ReflectionVersion version,
                                               std::function<std::vector<std::string>()> services) {
  return std::make_shared<ReflectionHandler>(version, std::move(services));
}

}  // namespace micro::server
