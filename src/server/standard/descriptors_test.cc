#include "server/standard/descriptors.h"

#include <gtest/gtest.h>

#include "server/standard/health.pb.h"

namespace micro::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;

const FileDescriptor& Health() {
  return *standard::health::HealthCheckRequest::descriptor()->file();
}

TEST(DescriptorsTest, AMovedFileHoldsTogether) {
  const FileDescriptorProto moved = MoveTo(Health(), "a/b.proto", "a.b");
  DescriptorPool pool;
  const FileDescriptor* const file = pool.BuildFile(moved);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->name(), "a/b.proto");
  const auto* const service = pool.FindServiceByName("a.b.Health");
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->FindMethodByName("Watch")->output_type()->full_name(),
            "a.b.HealthCheckResponse");
  const Descriptor* const list = pool.FindMessageTypeByName("a.b.HealthListResponse");
  ASSERT_NE(list, nullptr);
  EXPECT_TRUE(list->field(0)->is_map());
}

TEST(DescriptorsTest, AMoveToNoPackageIsAMoveToo) {
  DescriptorPool pool;
  ASSERT_NE(pool.BuildFile(MoveTo(Health(), "b.proto", "")), nullptr);
  EXPECT_NE(pool.FindServiceByName("Health"), nullptr);
}

TEST(DescriptorsTest, TheStandardServicesAreKnownByTheirOwnNames) {
  for (const char* name : {"Debug", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                           "grpc.reflection.v1alpha.ServerReflection", "micro.Load"}) {
    EXPECT_NE(KnownDescriptors().FindServiceByName(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace micro::server
