#include "natsd/info.h"

#include <nlohmann/json.hpp>

#include "natsd/json_fields.h"
#include "natsd/server.h"

namespace micro::natsd {
namespace {

using nlohmann::ordered_json;

// What is not UTF-8 is replaced, not thrown at.
std::string LineOf(std::string_view operation, const ordered_json& fields) {
  std::string line(operation);
  line += ' ';
  line += fields.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  line += " \r\n";
  return line;
}

// Left out where it says nothing.
template <typename T>
void Add(ordered_json& fields, const char* name, const T& value) {
  if (value != T()) fields[name] = value;
}

}  // namespace

std::string ClientInfo::Line() const {
  ordered_json fields{{"server_id", server_id},
                      {"server_name", server_name},
                      {"version", Server::kVersion},
                      {"proto", 1},
                      {"go", "none"},
                      {"host", host},
                      {"port", port},
                      {"headers", true}};
  Add(fields, "auth_required", auth_required);
  Add(fields, "tls_required", tls_required);
  Add(fields, "tls_verify", tls_verify);
  Add(fields, "tls_available", tls_available);
  fields["max_payload"] = max_payload;
  fields["client_id"] = client_id;
  fields["client_ip"] = client_ip;
  Add(fields, "nonce", nonce);
  Add(fields, "cluster", cluster);
  Add(fields, "cluster_dynamic", cluster_dynamic);
  Add(fields, "connect_urls", connect_urls);
  Add(fields, "ldm", lame_duck);
  return LineOf("INFO", fields);
}

std::string RouteInfo::Line() const {
  ordered_json fields{{"server_id", server_id},
                      {"server_name", server_name},
                      {"version", version},
                      {"proto", protocol},
                      {"go", "none"},
                      {"host", host},
                      {"port", port},
                      {"headers", headers},
                      {"max_payload", max_payload}};
  Add(fields, "auth_required", auth_required);
  Add(fields, "tls_required", tls_required);
  Add(fields, "ip", ip);
  Add(fields, "connect_urls", connect_urls);
  Add(fields, "cluster", cluster);
  Add(fields, "cluster_dynamic", cluster_dynamic);
  Add(fields, "ldm", lame_duck);
  return LineOf("INFO", fields);
}

Result<RouteInfo> RouteInfo::Read(std::string_view json) {
  RouteInfo info;
  JsonFields fields(json);
  fields.Read("server_id", info.server_id);
  fields.Read("server_name", info.server_name);
  fields.Read("version", info.version);
  fields.Read("proto", info.protocol);
  fields.Read("host", info.host);
  fields.Read("port", info.port);
  fields.Read("auth_required", info.auth_required);
  fields.Read("tls_required", info.tls_required);
  fields.Read("max_payload", info.max_payload);
  fields.Read("ip", info.ip);
  fields.Read("connect_urls", info.connect_urls);
  fields.Read("cluster", info.cluster);
  fields.Read("cluster_dynamic", info.cluster_dynamic);
  fields.Read("headers", info.headers);
  fields.Read("ldm", info.lame_duck);
  if (!fields.status()) return Failure(fields.status().error());
  if (info.server_id.empty()) return InvalidArgument("an INFO without a server_id");
  return info;
}

std::string RouteConnect::Line() const {
  ordered_json fields{
      {"echo", true},      {"verbose", false}, {"pedantic", false}, {"tls_required", tls_required},
      {"name", server_id}, {"headers", true},  {"cluster", cluster}};
  Add(fields, "cluster_dynamic", cluster_dynamic);
  Add(fields, "user", user);
  Add(fields, "pass", password);
  return LineOf("CONNECT", fields);
}

}  // namespace micro::natsd
