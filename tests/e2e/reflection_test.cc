#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "fleet.h"
#include "server/standard/reflection.pb.h"

namespace micro::e2e {
namespace {

using google::protobuf::FileDescriptorProto;
using standard::reflection::ServerReflectionRequest;
using standard::reflection::ServerReflectionResponse;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr MethodInfo kV1 = {.path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                            .kind = MethodKind::kBidiStream};
constexpr MethodInfo kV1Alpha = {
    .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    .kind = MethodKind::kBidiStream};

class ReflectionTest : public GrpcFleetTest {
 protected:
  using Stream = ClientStream<ServerReflectionRequest, ServerReflectionResponse>;

  Stream Open(const MethodInfo& version = kV1) {
    return CallStream<Stream>(caller().client(), "test", version, nullptr, {});
  }
  static ServerReflectionResponse Ask(Stream& stream, const ServerReflectionRequest& request) {
    EXPECT_TRUE(stream.Write(request));
    auto response = stream.Read();
    return response ? *std::move(response) : ServerReflectionResponse();
  }
  static ServerReflectionResponse AskForFile(Stream& stream, const std::string& name) {
    ServerReflectionRequest request;
    request.set_file_by_filename(name);
    return Ask(stream, request);
  }
  static ServerReflectionResponse AskForSymbol(Stream& stream, const std::string& name) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(name);
    return Ask(stream, request);
  }
  static std::vector<std::string> FilesOf(const ServerReflectionResponse& response) {
    std::vector<std::string> names;
    for (const auto& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }
  static std::vector<std::string> List(Stream& stream) {
    ServerReflectionRequest request;
    request.set_list_services("*");
    std::vector<std::string> names;
    const auto response = Ask(stream, request);
    for (const auto& service : response.list_services_response().service()) {
      names.push_back(service.name());
    }
    return names;
  }
};

TEST_F(ReflectionTest, EverythingServedIsListed) {
  Serve(Blocking(Echo));
  for (const MethodInfo& version : {kV1, kV1Alpha}) {
    auto stream = Open(version);
    EXPECT_THAT(List(stream),
                ElementsAre("Debug", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                            "grpc.reflection.v1alpha.ServerReflection", "micro.Load",
                            "testee.Test"));
    EXPECT_TRUE(stream.Finish());
  }
}

TEST_F(ReflectionTest, FilesAreFoundByNameAndByWhatTheyDefine) {
  Serve(Blocking(Echo));
  auto stream = Open();
  EXPECT_THAT(FilesOf(AskForFile(stream, "testee.proto")), ElementsAre("testee.proto"));
  for (const char* symbol : {"testee.Test", "testee.Test.Call", "testee.Request"}) {
    EXPECT_THAT(FilesOf(AskForSymbol(stream, symbol)), ElementsAre("testee.proto")) << symbol;
  }
}

TEST_F(ReflectionTest, WhatAFileNeedsComesWithItOnce) {
  Serve(Blocking(Echo));
  auto stream = Open();
  EXPECT_THAT(FilesOf(AskForFile(stream, "google/protobuf/type.proto")),
              UnorderedElementsAre("google/protobuf/type.proto", "google/protobuf/any.proto",
                                   "google/protobuf/source_context.proto"));
  EXPECT_THAT(FilesOf(AskForFile(stream, "google/protobuf/type.proto")),
              ElementsAre("google/protobuf/type.proto"));
  EXPECT_THAT(FilesOf(AskForFile(stream, "google/protobuf/any.proto")),
              ElementsAre("google/protobuf/any.proto"));
}

TEST_F(ReflectionTest, TheStandardServicesDescribeThemselves) {
  Serve(Blocking(Echo));
  auto stream = Open();
  google::protobuf::DescriptorPool pool;
  for (const char* name : {"Debug", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                           "grpc.reflection.v1alpha.ServerReflection", "micro.Load"}) {
    const auto response = AskForSymbol(stream, name);
    ASSERT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 1) << name;
    FileDescriptorProto file;
    file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0));
    EXPECT_NE(pool.BuildFile(file), nullptr) << name;
    EXPECT_NE(pool.FindServiceByName(name), nullptr) << name;
  }
}

TEST_F(ReflectionTest, WhatIsNotThereIsAnErrorAndTheStreamGoesOn) {
  Serve(Blocking(Echo));
  auto stream = Open();
  ServerReflectionRequest extension;
  extension.mutable_file_containing_extension()->set_containing_type("testee.Request");
  extension.mutable_file_containing_extension()->set_extension_number(7);
  constexpr int kNotFound = static_cast<int>(Code::kNotFound);
  EXPECT_EQ(AskForFile(stream, "no.proto").error_response().error_code(), kNotFound);
  EXPECT_EQ(AskForSymbol(stream, "no.Symbol").error_response().error_code(), kNotFound);
  EXPECT_EQ(Ask(stream, extension).error_response().error_code(), kNotFound);
  EXPECT_EQ(Ask(stream, {}).error_response().error_code(),
            static_cast<int>(Code::kInvalidArgument));
  const auto again = AskForFile(stream, "testee.proto");
  EXPECT_EQ(again.original_request().file_by_filename(), "testee.proto");
  EXPECT_THAT(FilesOf(again), ElementsAre("testee.proto"));
}

TEST_F(ReflectionTest, ExtensionsOfATypeAreTold) {
  Serve(Blocking(Echo));
  auto stream = Open();
  ServerReflectionRequest request;
  request.set_all_extension_numbers_of_type("testee.Request");
  const auto response = Ask(stream, request);
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(), "testee.Request");
  EXPECT_EQ(response.all_extension_numbers_response().extension_number_size(), 0);
}

TEST_F(ReflectionTest, ItCanBeSwitchedOff) {
  ServiceOptions options = Options();
  options.reflection = false;
  Serve(Blocking(Echo), options);
  auto stream = Open();
  EXPECT_EQ(stream.Finish().error().code(), Code::kUnimplemented);
}

}  // namespace
}  // namespace micro::e2e
