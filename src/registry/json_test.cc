#include "registry/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace micro::registry_json {
namespace {

// The etcd value go-micro v2.9.1 writes for a helloworld service.
constexpr std::string_view kService =
    R"({"name":"helloworld","version":"latest","metadata":null,"endpoints":[{"name":"Greeter.Hello",)"
    R"("request":{"name":"Request","type":"Request","values":[{"name":"name","type":"string",)"
    R"("values":null}]},"response":{"name":"Response","type":"Response","values":[{"name":)"
    R"("greeting","type":"string","values":null}]},"metadata":{}}],"nodes":[{"id":)"
    R"("helloworld-5b1d4a1c-0000-4000-8000-000000000001","address":"192.168.1.10:39117",)"
    R"("metadata":{"broker":"http","protocol":"grpc","registry":"mdns","server":"grpc",)"
    R"("transport":"grpc"}}]})";

TEST(RegistryJsonTest, ReadsWhatGoMicroKeepsInEtcd) {
  const auto service = ReadService(kService);
  ASSERT_TRUE(service) << service.error().detail();
  EXPECT_EQ(service->name, "helloworld");
  EXPECT_EQ(service->version, "latest");
  EXPECT_TRUE(service->metadata.empty());
  ASSERT_EQ(service->endpoints.size(), 1U);
  EXPECT_EQ(service->endpoints[0].name, "Greeter.Hello");
  EXPECT_EQ(service->endpoints[0].request,
            (Value{"Request", "Request", {Value{"name", "string", {}}}}));
  ASSERT_EQ(service->nodes.size(), 1U);
  EXPECT_EQ(service->nodes[0].id, "helloworld-5b1d4a1c-0000-4000-8000-000000000001");
  EXPECT_EQ(service->nodes[0].address, "192.168.1.10:39117");
  EXPECT_EQ(service->nodes[0].metadata.at("protocol"), "grpc");
}

TEST(RegistryJsonTest, WritesTheSameOctetsAsGoMicro) {
  EXPECT_EQ(WriteService(ReadService(kService).value()), kService);
}

TEST(RegistryJsonTest, WritesNullForWhatIsEmpty) {
  EXPECT_EQ(WriteService({}),
            R"({"name":"","version":"","metadata":null,"endpoints":null,"nodes":null})");
  ServiceInfo subscriber{.name = "s"};
  subscriber.endpoints.push_back({.name = "Func"});
  subscriber.nodes.push_back({.id = "s-1"});
  EXPECT_EQ(
      WriteService(subscriber),
      R"({"name":"s","version":"","metadata":null,"endpoints":[{"name":"Func","request":null,)"
      R"("response":null,"metadata":{}}],"nodes":[{"id":"s-1","address":"","metadata":null}]})");
}

TEST(RegistryJsonTest, TakesNullEverywhereAndNamesInAnyCase) {
  EXPECT_EQ(
      ReadService(
          R"({"name":null,"version":null,"metadata":null,"endpoints":null,"nodes":null,"x":[1]})"),
      ServiceInfo{});
  const auto service = ReadService(
      R"({"NAME":"s","Nodes":[null,{"Id":"s-1","ADDRESS":"a:1","metadata":{"k":null}}]})");
  ASSERT_TRUE(service);
  EXPECT_EQ(service->name, "s");
  EXPECT_EQ(service->nodes, (std::vector<Node>{{"s-1", "a:1", {{"k", ""}}}}));
}

TEST(RegistryJsonTest, RejectsWrongTypes) {
  for (const char* text :
       {"", "[]", "null", "{", R"({"name":1})", R"({"metadata":[]})", R"({"metadata":{"a":1}})",
        R"({"nodes":{}})", R"({"nodes":[1]})", R"({"nodes":[{"id":[]}]})",
        R"({"endpoints":[{"request":1}]})", R"({"endpoints":[{"request":{"values":[1]}}]})"}) {
    const auto service = ReadService(text);
    ASSERT_FALSE(service) << text;
    EXPECT_EQ(service.error().code(), Code::kInvalidArgument);
  }
}

TEST(RegistryJsonTest, CutsTreesThatAreTooDeep) {
  std::string value = R"({"name":"leaf"})";
  for (int depth = 0; depth < 1000; ++depth) value = R"({"values":[)" + value + "]}";
  EXPECT_TRUE(ReadService(R"({"endpoints":[{"request":)" + value + "}]}"));
}

TEST(RegistryJsonTest, KeepsValuesWithoutNames) {
  ServiceInfo service;
  service.endpoints = {{.request = {.name = "Request", .values = {Value{}, Value{"a", "", {}}}}}};
  EXPECT_EQ(ReadService(WriteService(service)), service);
}

TEST(RegistryJsonTest, ReplacesWhatIsNoUtf8) {
  EXPECT_TRUE(ReadService(WriteService({.name = "\xff\xfe"})));
}

}  // namespace
}  // namespace micro::registry_json
