#include "server/method_table.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/type.pb.h>
#include <gtest/gtest.h>

#include "base/describe.h"
#include "registry/json.h"

namespace micro::server {
namespace {

using google::protobuf::Descriptor;

// The hello-world messages, without generated code.
const google::protobuf::FileDescriptor& HelloFile() {
  static google::protobuf::DescriptorPool pool;
  static const google::protobuf::FileDescriptor* const file = [] {
    google::protobuf::FileDescriptorProto proto;
    proto.set_name("hello.proto");
    proto.set_package("helloworld");
    proto.set_syntax("proto3");
    for (const auto& [type, name, number] :
         {std::tuple("Request", "name", 1), std::tuple("Response", "greeting", 2)}) {
      auto* message = proto.add_message_type();
      message->set_name(type);
      auto* field = message->add_field();
      field->set_name(name);
      field->set_number(number);
      field->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
      field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    }
    return pool.BuildFile(proto);
  }();
  return *file;
}

const Descriptor* Request() { return HelloFile().message_type(0); }
const Descriptor* Response() { return HelloFile().message_type(1); }

Task<Status> Serve(Handler& /*handler*/, ServerCall& /*call*/) { co_return Ok(); }

class TestHandler final : public Handler {
 public:
  TestHandler(std::string name, const std::vector<std::string>& methods,
              MethodKind kind = MethodKind::kUnary)
      : name_(std::move(name)) {
    for (const std::string& method : methods) paths_.push_back("/" + name_ + "/" + method);
    for (const std::string& path : paths_) {
      methods_.push_back(
          {{.path = path, .kind = kind, .request = Request, .response = Response}, Serve});
    }
  }

  std::string_view name() const override { return name_; }
  std::span<const Method> methods() const override { return methods_; }

 private:
  std::string name_;
  std::vector<std::string> paths_;
  std::vector<Method> methods_;
};

std::shared_ptr<Handler> Make(std::string name, const std::vector<std::string>& methods,
                              MethodKind kind = MethodKind::kUnary) {
  return std::make_shared<TestHandler>(std::move(name), methods, kind);
}

class MethodTableTest : public ::testing::Test {
 protected:
  MethodTableTest() { EXPECT_TRUE(table_.Add(Make("helloworld.Greeter", {"Hello", "Bye"}))); }

  std::string Found(std::string_view path) {
    const auto found = table_.Find(path);
    return found ? (*found)->endpoint : found.error().ToString();
  }

  MethodTable table_;
};

TEST_F(MethodTableTest, ServesTheCanonicalPath) {
  EXPECT_EQ(Found("/helloworld.Greeter/Hello"), "Greeter.Hello");
  EXPECT_EQ(Found("/helloworld.Greeter/Bye"), "Greeter.Bye");
}

TEST_F(MethodTableTest, ServesAnyPrefixAsGoMicroDoes) {
  EXPECT_EQ(Found("/go.micro.srv.greeter.Greeter/Hello"), "Greeter.Hello");
  EXPECT_EQ(Found("/Greeter/Hello"), "Greeter.Hello");
}

TEST_F(MethodTableTest, TheCanonicalPathComesFirstWhereShortNamesAreEqual) {
  ASSERT_TRUE(table_.Add(Make("other.Greeter", {"Hello"})));
  EXPECT_EQ((*table_.Find("/other.Greeter/Hello"))->handler->name(), "other.Greeter");
  EXPECT_EQ((*table_.Find("/helloworld.Greeter/Hello"))->handler->name(), "helloworld.Greeter");
}

TEST_F(MethodTableTest, MalformedPathsAreInvalid) {
  for (const std::string_view path :
       {"", "/", "Greeter/Hello", "/Greeter", "/a/b/c", "Greeter.Hello", "/Greeter/Hello/"}) {
    const auto found = table_.Find(path);
    ASSERT_FALSE(found) << path;
    EXPECT_EQ(found.error().code(), Code::kInvalidArgument) << path;
    EXPECT_TRUE(found.error().detail().starts_with("malformed method name: ")) << path;
  }
}

TEST_F(MethodTableTest, UnknownsAreUnimplementedInGoMicrosWords) {
  const auto service = table_.Find("/helloworld.Waiter/Hello");
  ASSERT_FALSE(service);
  EXPECT_EQ(service.error().code(), Code::kUnimplemented);
  EXPECT_EQ(service.error().detail(), "unknown service Waiter");
  const auto method = table_.Find("/helloworld.Greeter/Wave");
  ASSERT_FALSE(method);
  EXPECT_EQ(method.error().code(), Code::kUnimplemented);
  EXPECT_EQ(method.error().detail(), "unknown service Greeter.Wave");
}

TEST_F(MethodTableTest, NamesAreCaseSensitive) {
  EXPECT_FALSE(table_.Find("/helloworld.greeter/Hello"));
  EXPECT_FALSE(table_.Find("/helloworld.Greeter/hello"));
}

TEST_F(MethodTableTest, AMethodIsServedOnce) {
  const Status again = table_.Add(Make("helloworld.Greeter", {"Hello"}));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
  EXPECT_NE(again.error().detail().find("/helloworld.Greeter/Hello"), std::string::npos);
}

TEST_F(MethodTableTest, EndpointsAreSortedByHandlerThenByMethod) {
  ASSERT_TRUE(table_.Add(Make("a.GreeterTwo", {"Alpha"})));
  ASSERT_TRUE(table_.Add(Make("z.Account", {"Delete", "Add"})));
  std::vector<std::string> names;
  for (const Endpoint& endpoint : table_.Endpoints()) names.push_back(endpoint.name);
  EXPECT_EQ(names, (std::vector<std::string>{"Account.Add", "Account.Delete", "Greeter.Bye",
                                             "Greeter.Hello", "GreeterTwo.Alpha"}));
}

TEST_F(MethodTableTest, AnEndpointReadsAsGoMicroWritesIt) {
  const ServiceInfo service{.name = "helloworld",
                            .version = "latest",
                            .endpoints = {table_.Endpoints().back()},
                            .nodes = {{.id = "helloworld-1", .address = "127.0.0.1:1"}}};
  const std::string json = registry_json::WriteService(service);
  EXPECT_NE(json.find(R"({"name":"Greeter.Hello","request":{"name":"Request","type":"Request",)"
                      R"("values":[{"name":"name","type":"string","values":null}]},)"
                      R"("response":{"name":"Response","type":"Response",)"
                      R"("values":[{"name":"greeting","type":"string","values":null}]},)"
                      R"("metadata":{}})"),
            std::string::npos)
      << json;
}

TEST_F(MethodTableTest, AStreamIsDescribedAsGoMicroDoes) {
  MethodTable table;
  ASSERT_TRUE(table.Add(Make("a.Streamer", {"Stream"}, MethodKind::kBidiStream)));
  const std::vector<Endpoint> endpoints = table.Endpoints();
  EXPECT_EQ(endpoints.front(), (Endpoint{.name = "Streamer.Stream",
                                         .request = {"Context", "Context", {}},
                                         .response = {"Stream", "Stream", {}},
                                         .metadata = {{"stream", "true"}}}));
}

std::string TypeOf(const Value& message, std::string_view field) {
  for (const Value& value : message.values) {
    if (value.name == field) return value.type;
  }
  return "missing";
}

TEST(DescribeTest, TypesHaveGosNames) {
  const Value option = Describe(*google::protobuf::UninterpretedOption::descriptor());
  EXPECT_EQ(option.name, "UninterpretedOption");
  EXPECT_EQ(TypeOf(option, "name"), "[]NamePart");
  EXPECT_EQ(TypeOf(option, "positive_int_value"), "uint64");
  EXPECT_EQ(TypeOf(option, "negative_int_value"), "int64");
  EXPECT_EQ(TypeOf(option, "double_value"), "float64");
  EXPECT_EQ(TypeOf(option, "string_value"), "[]uint8");
  const Value field = Describe(*google::protobuf::Field::descriptor());
  EXPECT_EQ(TypeOf(field, "kind"), "Kind");
  EXPECT_EQ(TypeOf(field, "number"), "int32");
  EXPECT_EQ(TypeOf(field, "packed"), "bool");
}

std::size_t Levels(const Value& value) {
  std::size_t deepest = 0;
  for (const Value& inner : value.values) deepest = std::max(deepest, Levels(inner));
  return deepest + 1;
}

TEST(DescribeTest, GoesThreeLevelsDeep) {
  EXPECT_EQ(Levels(Describe(*google::protobuf::FileDescriptorProto::descriptor())), 3U);
  EXPECT_EQ(Levels(Describe(*Request())), 2U);
}

}  // namespace
}  // namespace micro::server
