#include "transport/grpc/web/cors.h"

#include <algorithm>
#include <cctype>

#include "transport/grpc/wire.h"

namespace micro::web {
namespace {

constexpr std::string_view kOrigin = "origin";
constexpr std::string_view kAllowOrigin = "access-control-allow-origin";
constexpr std::string_view kAskedHeaders = "access-control-request-headers";
// What the protocols' own clients send.
constexpr std::string_view kHeaders =
    "content-type, content-encoding, accept-encoding, connect-protocol-version, "
    "connect-timeout-ms, grpc-timeout, x-grpc-web, x-user-agent";
// gRPC-Web's status, which some answers carry in their head.
constexpr std::string_view kExposed = "grpc-status, grpc-message, grpc-status-details-bin";

// A list of names: nothing that could end the header it is put in.
bool IsNameList(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ',' || c == ' ';
  });
}

}  // namespace

bool Cors::any() const {
  return std::find(origins_.begin(), origins_.end(), "*") != origins_.end();
}

bool Cors::Knows(std::string_view origin) const {
  return any() || std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

void Cors::Allow(const Request& request, Metadata& fields) const {
  if (origins_.empty()) return;
  if (!any()) fields.Add("vary", kOrigin);
  const auto origin = request.head.metadata.Get(kOrigin);
  if (!origin || !Knows(*origin)) return;
  fields.Add(kAllowOrigin, any() ? "*" : *origin);
}

bool Cors::IsPreflight(const Request& request) {
  return request.method == "OPTIONS" && request.head.metadata.Has(kOrigin) &&
         request.head.metadata.Has("access-control-request-method");
}

Metadata Cors::Preflight(const Request& request) const {
  Metadata fields;
  Allow(request, fields);
  if (!fields.Has(kAllowOrigin)) return fields;
  const auto asked = request.head.metadata.Get(kAskedHeaders);
  fields.Add("access-control-allow-methods", "GET, POST");
  fields.Add("access-control-allow-headers", asked && IsNameList(*asked) ? *asked : kHeaders);
  fields.Add("access-control-max-age", "7200");
  fields.Add("vary", kAskedHeaders);
  return fields;
}

void ExposeFields(Metadata& fields) {
  if (!fields.Has(kAllowOrigin)) return;
  std::string names(kExposed);
  for (const auto& [name, value] : fields) {
    if (name == "vary" || name.starts_with("access-control-")) continue;
    names.append(", ").append(name);
  }
  fields.Add("access-control-expose-headers", names);
}

}  // namespace micro::web
