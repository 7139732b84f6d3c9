#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "micro/error.h"
#include "micro/registry.h"

/// The JSON of go-micro's registry records, as go-micro v2.9.1 writes it: members in its order,
/// none omitted, null for an empty list or object (but `{}` for an endpoint's metadata).
///
/// Readers take null for everything, member names in any case, and ignore members they do not know.
namespace micro::registry_json {

/// What is written keeps the order of its members; what is read is a map, because a hostile record
/// of many members would take an ordered one quadratic time.
using Ordered = nlohmann::ordered_json;
using Json = nlohmann::json;

Ordered FromMetadata(const std::map<std::string, std::string>& metadata);
Ordered FromEndpoints(const std::vector<Endpoint>& endpoints);

/// INVALID_ARGUMENT, naming the member, for a value of a wrong type.
Result<std::map<std::string, std::string>> ToMetadata(const Json& json);
Result<std::vector<Endpoint>> ToEndpoints(const Json& json);

/// The member of `object` that `name` fits, exactly or else in any case; null when there is none.
const Json& Member(const Json& object, std::string_view name);
/// A member that is a string; empty for null or none.
Result<std::string> StringMember(const Json& object, std::string_view name);

/// INVALID_ARGUMENT for a text that is no JSON object.
Result<Json> ParseObject(std::string_view text);
/// Compact; what is not UTF-8 is replaced by U+FFFD.
std::string Write(const Ordered& json);

/// A whole service: what the etcd registry, among others, keeps per node.
std::string WriteService(const ServiceInfo& service);
Result<ServiceInfo> ReadService(std::string_view text);

}  // namespace micro::registry_json
