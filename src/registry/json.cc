#include "registry/json.h"

#include <nlohmann/json.hpp>

namespace micro::registry_json {
namespace {

// go-micro stops its trees at depth 3; a deeper one is cut here, so that no record exhausts the
// stack.
constexpr int kMaxDepth = 16;

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualFold(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return ToLower(x) == ToLower(y); });
}

Failure WrongType(std::string_view what) {
  return InvalidArgument("registry record: " + std::string(what) + " has a wrong type");
}

template <typename T, typename Write>
Ordered FromList(const std::vector<T>& list, Write write) {
  if (list.empty()) return nullptr;
  Ordered json = Ordered::array();
  for (const T& element : list) json.push_back(write(element));
  return json;
}

template <typename T, typename Read>
Result<std::vector<T>> ToList(const Json& json, std::string_view what, Read read) {
  std::vector<T> list;
  if (json.is_null()) return list;
  if (!json.is_array()) return WrongType(what);
  for (const Json& element : json) {
    if (element.is_null()) continue;
    if (!element.is_object()) return WrongType(what);
    Result<T> value = read(element);
    if (!value) return Fails(std::move(value.error()));
    list.push_back(*std::move(value));
  }
  return list;
}

Ordered FromValue(const Value& value) {
  return {
      {"name", value.name}, {"type", value.type}, {"values", FromList(value.values, FromValue)}};
}

Ordered FromMessage(const Value& type) {
  return type == Value{} ? Ordered(nullptr) : FromValue(type);
}

Result<Value> ToValue(const Json& json, int depth = 0) {
  Value value;
  if (json.is_null() || depth == kMaxDepth) return value;
  if (!json.is_object()) return WrongType("a value");
  auto name = StringMember(json, "name");
  auto type = StringMember(json, "type");
  auto values = ToList<Value>(Member(json, "values"), "values",
                              [depth](const Json& each) { return ToValue(each, depth + 1); });
  if (!name) return Fails(name.error());
  if (!type) return Fails(type.error());
  if (!values) return Fails(values.error());
  return Value{.name = *std::move(name), .type = *std::move(type), .values = *std::move(values)};
}

Ordered FromEndpoint(const Endpoint& endpoint) {
  Ordered metadata = FromMetadata(endpoint.metadata);
  if (metadata.is_null()) metadata = Ordered::object();
  return {{"name", endpoint.name},
          {"request", FromMessage(endpoint.request)},
          {"response", FromMessage(endpoint.response)},
          {"metadata", std::move(metadata)}};
}

Result<Endpoint> ToEndpoint(const Json& json) {
  auto name = StringMember(json, "name");
  auto request = ToValue(Member(json, "request"));
  auto response = ToValue(Member(json, "response"));
  auto metadata = ToMetadata(Member(json, "metadata"));
  if (!name) return Fails(name.error());
  if (!request) return Fails(request.error());
  if (!response) return Fails(response.error());
  if (!metadata) return Fails(metadata.error());
  return Endpoint{.name = *std::move(name),
                  .request = *std::move(request),
                  .response = *std::move(response),
                  .metadata = *std::move(metadata)};
}

Ordered FromNode(const Node& node) {
  return {{"id", node.id}, {"address", node.address}, {"metadata", FromMetadata(node.metadata)}};
}

Result<Node> ToNode(const Json& json) {
  auto id = StringMember(json, "id");
  auto address = StringMember(json, "address");
  auto metadata = ToMetadata(Member(json, "metadata"));
  if (!id) return Fails(id.error());
  if (!address) return Fails(address.error());
  if (!metadata) return Fails(metadata.error());
  return Node{
      .id = *std::move(id), .address = *std::move(address), .metadata = *std::move(metadata)};
}

}  // namespace

Ordered FromMetadata(const std::map<std::string, std::string>& metadata) {
  if (metadata.empty()) return nullptr;
  Ordered json = Ordered::object();
  for (const auto& [key, value] : metadata) json[key] = value;
  return json;
}

Result<std::map<std::string, std::string>> ToMetadata(const Json& json) {
  std::map<std::string, std::string> metadata;
  if (json.is_null()) return metadata;
  if (!json.is_object()) return WrongType("metadata");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string() && !value.is_null()) return WrongType("metadata \"" + key + "\"");
    metadata[key] = value.is_null() ? "" : value.get_ref<const std::string&>();
  }
  return metadata;
}

Ordered FromEndpoints(const std::vector<Endpoint>& endpoints) {
  return FromList(endpoints, FromEndpoint);
}

Result<std::vector<Endpoint>> ToEndpoints(const Json& json) {
  return ToList<Endpoint>(json, "endpoints", ToEndpoint);
}

const Json& Member(const Json& object, std::string_view name) {
  static const Json kNull;
  const Json* fits = &kNull;
  for (const auto& [key, value] : object.items()) {
    if (key == name) return value;
    if (EqualFold(key, name)) fits = &value;
  }
  return *fits;
}

Result<std::string> StringMember(const Json& object, std::string_view name) {
  const Json& member = Member(object, name);
  if (member.is_null()) return std::string();
  if (!member.is_string()) return WrongType("\"" + std::string(name) + "\"");
  return member.get_ref<const std::string&>();
}

Result<Json> ParseObject(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) return json;
  return InvalidArgument("registry record: no JSON object");
}

std::string Write(const Ordered& json) {
  return json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

std::string WriteService(const ServiceInfo& service) {
  return Write({{"name", service.name},
                {"version", service.version},
                {"metadata", FromMetadata(service.metadata)},
                {"endpoints", FromEndpoints(service.endpoints)},
                {"nodes", FromList(service.nodes, FromNode)}});
}

Result<ServiceInfo> ReadService(std::string_view text) {
  const auto json = ParseObject(text);
  if (!json) return Fails(json.error());
  auto name = StringMember(*json, "name");
  auto version = StringMember(*json, "version");
  auto metadata = ToMetadata(Member(*json, "metadata"));
  auto endpoints = ToEndpoints(Member(*json, "endpoints"));
  auto nodes = ToList<Node>(Member(*json, "nodes"), "nodes", ToNode);
  if (!name) return Fails(name.error());
  if (!version) return Fails(version.error());
  if (!metadata) return Fails(metadata.error());
  if (!endpoints) return Fails(endpoints.error());
  if (!nodes) return Fails(nodes.error());
  return ServiceInfo{.name = *std::move(name),
                     .version = *std::move(version),
                     .metadata = *std::move(metadata),
                     .endpoints = *std::move(endpoints),
                     .nodes = *std::move(nodes)};
}

}  // namespace micro::registry_json
