#include "natsd/config/configuration.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "natsd/config/keys.h"
#include "natsd/config/scalars.h"
#include "natsd/config/users.h"
#include "natsd/route_url.h"

namespace micro::natsd::config {
namespace {

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

Result<int> ReadPort(const Value& value) {
  auto port = ReadWithin(value, -1, 65535);
  if (!port) return Failure(std::move(port.error()));
  return static_cast<int>(*port);
}

Result<int> ReadCount(const Value& value) {
  auto count = ReadWithin(value, 0, 1'000'000);
  if (!count) return Failure(std::move(count.error()));
  return static_cast<int>(*count);
}

Result<std::size_t> ReadPositive(const Value& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40U;
  auto number = ReadWithin(value, 1, kMost);
  if (!number) return Failure(std::move(number.error()));
  return static_cast<std::size_t>(*number);
}

// nats-server's sizes have nine digits at most, and so has what the protocol can say.
Result<std::size_t> ReadPayload(const Value& value) {
  constexpr std::int64_t kMost = 999'999'999;
  auto number = ReadWithin(value, 1, kMost);
  if (!number) return Failure(std::move(number.error()));
  return static_cast<std::size_t>(*number);
}

Result<std::size_t> ReadConnections(const Value& value) { return ReadLimit(value, kUnlimited); }
Result<std::size_t> ReadOrNoLimit(const Value& value) { return ReadLimit(value, 0); }

std::function<Status(const Value&)> ListenInto(std::string& host, int& port) {
  return [&host, &port](const Value& value) -> Status {
    auto listen = ReadListen(value);
    if (!listen) return Failure(std::move(listen.error()));
    if (!listen->host.empty()) host = std::move(listen->host);
    port = listen->port;
    return Ok();
  };
}

Status NotHere(const Value& value) {
  return Complaint(value.place, "this is not supported, and cannot be ignored");
}

Status ReadTls(const Value& value, TlsFiles& tls) {
  auto read = ReadKeys(value, "tls",
                       {{.names = {"cert_file"}, .read = Into(tls.cert, ReadText)},
                        {.names = {"key_file"}, .read = Into(tls.key, ReadText)},
                        {.names = {"ca_file"}, .read = Into(tls.ca, ReadText)},
                        {.names = {"verify"}, .read = Into(tls.verify, ReadBool)},
                        {.names = {"timeout"}, .read = Into(tls.timeout, ReadTime)},
                        {.names = {"verify_and_map", "insecure", "cipher_suites",
                                   "curve_preferences", "pinned_certs", "handshake_first"},
                         .read = NotHere}});
  if (!read) return read;
  if (tls.cert.empty() || tls.key.empty()) {
    return Complaint(value.place, "tls wants cert_file and key_file");
  }
  if (tls.verify && tls.ca.empty()) {
    return Complaint(value.place, "tls wants a ca_file to verify certificates by");
  }
  return Ok();
}

Status ReadRoutes(const Value& value, std::vector<RouteUrl>& routes) {
  if (value.list() == nullptr) return Complaint(value.place, "wanted a list of routes [ … ]");
  routes.clear();
  for (const Value& item : *value.list()) {
    auto text = ReadText(item);
    if (!text) return Failure(std::move(text.error()));
    auto url = ParseRouteUrl(*text);
    if (!url) return Complaint(item.place, url.error().detail());
    routes.push_back(*std::move(url));
  }
  return Ok();
}

Status ReadRouteAuthorization(const Value& value, ClusterOptions& cluster) {
  return ReadKeys(value, "the cluster's authorization",
                  {{.names = {"user", "username"}, .read = Into(cluster.user, ReadText)},
                   {.names = {"pass", "password"}, .read = Into(cluster.password, ReadText)},
                   {.names = {"timeout"}, .read = Into(cluster.auth_timeout, ReadTime)},
                   {.names = {"permissions", "token", "users"}, .read = NotHere}});
}

Status ReadCluster(const Value& value, ClusterOptions& cluster) {
  // nats-server has a cluster as soon as there is a port, or something to listen at.
  return ReadKeys(
      value, "cluster",
      {{.names = {"name"}, .read = Into(cluster.name, ReadText)},
       {.names = {"listen"}, .read = ListenInto(cluster.host, cluster.port)},
       {.names = {"host", "net"}, .read = Into(cluster.host, ReadText)},
       {.names = {"port"}, .read = Into(cluster.port, ReadPort)},
       {.names = {"authorization"},
        .read = [&](const Value& inner) { return ReadRouteAuthorization(inner, cluster); }},
       {.names = {"routes"},
        .read = [&](const Value& list) { return ReadRoutes(list, cluster.routes); }},
       {.names = {"advertise", "cluster_advertise"}, .read = Into(cluster.advertise, ReadText)},
       {.names = {"no_advertise"}, .read = Into(cluster.no_advertise, ReadBool)},
       {.names = {"connect_retries"}, .read = Into(cluster.connect_retries, ReadCount)},
       {.names = {"tls"}, .read = [&](const Value& tls) { return ReadTls(tls, cluster.tls); }},
       {.names = {"permissions"}, .read = NotHere}});
}

// Notes that a key is passed over; where it stands tells which.
std::function<Status(const Value&)> Pass(Configuration& configuration) {
  return [&configuration](const Value& value) {
    configuration.ignored.push_back(
        Complaint(value.place, "this belongs to what is not here, and is ignored")
            .error()
            .detail());
    return Ok();
  };
}

std::vector<Key> AddressKeys(Options& server) {
  return {{.names = {"listen"}, .read = ListenInto(server.host, server.port)},
          {.names = {"host", "net"}, .read = Into(server.host, ReadText)},
          {.names = {"port"}, .read = Into(server.port, ReadPort)},
          {.names = {"server_name"}, .read = Into(server.server_name, ReadText)},
          {.names = {"client_advertise"}, .read = Into(server.client_advertise, ReadText)},
          {.names = {"http"}, .read = ListenInto(server.monitor_host, server.monitor_port)},
          {.names = {"http_port", "monitor_port"}, .read = Into(server.monitor_port, ReadPort)},
          {.names = {"ports_file_dir"}, .read = Into(server.ports_file_dir, ReadText)}};
}

std::vector<Key> LimitKeys(Options& server) {
  return {{.names = {"max_payload"}, .read = Into(server.max_payload, ReadPayload)},
          {.names = {"max_control_line"}, .read = Into(server.max_control_line, ReadPositive)},
          {.names = {"max_connections", "max_conn"},
           .read = Into(server.max_connections, ReadConnections)},
          {.names = {"max_subscriptions", "max_subs"},
           .read = Into(server.max_subscriptions, ReadOrNoLimit)},
          {.names = {"max_subscription_tokens", "max_sub_tokens"},
           .read = Into(server.max_subject_tokens, ReadOrNoLimit)},
          {.names = {"max_pending"}, .read = Into(server.max_pending, ReadPositive)},
          {.names = {"ping_interval"}, .read = Into(server.ping_interval, ReadTime)},
          {.names = {"ping_max"}, .read = Into(server.ping_max, ReadCount)},
          {.names = {"write_deadline"}, .read = Into(server.write_deadline, ReadTime)},
          {.names = {"lame_duck_duration"}, .read = Into(server.lame_duck_duration, ReadTime)},
          {.names = {"lame_duck_grace_period"}, .read = Into(server.lame_duck_grace, ReadTime)}};
}

std::vector<Key> SecurityKeys(Options& server) {
  return {{.names = {"authorization"},
           .read = [&](const Value& v) { return ReadAuthorization(v, server.authorization); }},
          {.names = {"accounts"},
           .read = [&](const Value& v) { return ReadAccounts(v, server.authorization); }},
          {.names = {"no_auth_user"}, .read = Into(server.authorization.no_auth_user, ReadText)},
          {.names = {"tls"}, .read = [&](const Value& v) { return ReadTls(v, server.tls); }},
          {.names = {"allow_non_tls"}, .read = Into(server.allow_non_tls, ReadBool)},
          {.names = {"cluster"},
           .read = [&](const Value& v) { return ReadCluster(v, server.cluster); }},
          {.names = {"operator", "operators", "roots", "root", "trusted", "trusted_keys",
                     "resolver", "resolver_preload", "https", "https_port", "http_base_path"},
           .read = NotHere}};
}

std::vector<Key> ProgramKeys(Configuration& configuration) {
  Options& server = configuration.server;
  return {{.names = {"debug"}, .read = Into(server.debug, ReadBool)},
          {.names = {"trace"}, .read = Into(server.trace, ReadBool)},
          {.names = {"logtime"}, .read = Into(configuration.log_time, ReadBool)},
          {.names = {"logfile", "log_file"}, .read = Into(configuration.log_file, ReadText)},
          {.names = {"pidfile", "pid_file"}, .read = Into(configuration.pid_file, ReadText)},
          {.names = {"jetstream", "leafnodes", "leaf", "websocket", "ws", "mqtt", "gateway",
                     "server_tags", "system_account", "system", "no_system_account",
                     "log_size_limit", "max_traced_msg_len", "disable_sublist_cache",
                     "connect_error_reports", "reconnect_error_reports", "prof_port"},
           .read = Pass(configuration)}};
}

}  // namespace

Status ReadConfiguration(const std::string& path, const Sources& sources,
                         Configuration& configuration) {
  const auto whole = ParseFile(path, sources);
  if (!whole) return Failure(whole.error());
  std::vector<Key> keys = AddressKeys(configuration.server);
  for (auto& more : {LimitKeys(configuration.server), SecurityKeys(configuration.server),
                     ProgramKeys(configuration)}) {
    keys.insert(keys.end(), more.begin(), more.end());
  }
  return ReadKeys(*whole, "", keys);
}

}  // namespace micro::natsd::config
