#include "natsd/connect_options.h"

#include "natsd/json_fields.h"

namespace micro::natsd {

Status ReadConnect(std::string_view json, ConnectOptions& options) {
  JsonFields fields(json);
  fields.Read("verbose", options.verbose);
  fields.Read("pedantic", options.pedantic);
  fields.Read("echo", options.echo);
  fields.Read("headers", options.headers);
  fields.Read("no_responders", options.no_responders);
  fields.Read("protocol", options.protocol);
  fields.Read("name", options.name);
  fields.Read("lang", options.lang);
  fields.Read("version", options.version);
  fields.Read("account", options.account);
  fields.Read("user", options.credentials.user);
  fields.Read("pass", options.credentials.password);
  fields.Read("auth_token", options.credentials.token);
  fields.Read("nkey", options.credentials.nkey);
  fields.Read("sig", options.credentials.signature);
  fields.Read("cluster", options.cluster);
  fields.Read("cluster_dynamic", options.cluster_dynamic);
  fields.Read("gateway", options.gateway);
  return fields.status();
}

}  // namespace micro::natsd
