#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "micro/duration.h"

namespace micro::natsd {

/// Subjects that are allowed or denied, wildcards included. Denied ones win; an empty `allow`
/// allows all that is not denied. In subscriptions an entry may be "subject queue".
struct SubjectRules {
  std::vector<std::string> allow = {};
  std::vector<std::string> deny = {};
};

/// Leave to publish to the reply subjects of messages that were received.
struct ResponseRule {
  int max = 1;                                 ///< messages for each; -1: any number
  Duration expires = std::chrono::minutes(2);  /// after the request; zero: never
};

struct Permissions {
  SubjectRules publish = {};
  SubjectRules subscribe = {};
  std::optional<ResponseRule> responses = {};
};

/// Somebody who may connect: by name and password, or by nkey.
struct User {
  std::string user = {};
  std::string password = {};                    ///< plain, or a bcrypt hash ("$2a$…")
  std::string nkey = {};                        ///< public key "U…", 56 characters
  std::string account = {};                     ///< empty: the default account "$G"
  std::optional<Permissions> permissions = {};  ///< none: everything
};

/// Who may connect. All empty: everybody.
struct Authorization {
  std::string user = {};  ///< a single user, with `password`
  std::string password = {};
  std::string token = {};  ///< plain or bcrypt
  std::vector<User> users = {};
  std::string no_auth_user = {};  ///< whom a client without credentials is taken for
  Duration timeout = std::chrono::seconds(2);

  bool required() const { return !user.empty() || !token.empty() || !users.empty(); }
};

/// Files are PEM.
struct TlsFiles {
  std::string cert = {};
  std::string key = {};
  std::string ca = {};
  bool verify = false;  ///< whether the other side must show a certificate
  Duration timeout = std::chrono::seconds(2);

  bool on() const { return !cert.empty(); }
};

/// Where another server's route port is, "nats-route://user:pass@host:port".
struct RouteUrl {
  std::string host = {};
  std::uint16_t port = 0;
  std::string user = {};
  std::string password = {};

  bool operator==(const RouteUrl&) const = default;
};

/// How servers mesh. Off without a port.
struct ClusterOptions {
  std::string name = {};  ///< empty: a random one, that gives way to another's
  std::string host = "0.0.0.0";
  int port = 0;  ///< 0: no cluster; -1: any port that is free
  std::vector<RouteUrl> routes = {};
  std::string advertise = {};  ///< "host:port" that other servers are told
  bool no_advertise = false;   ///< whether clients are not told of the servers of the cluster
  int connect_retries = 0;     ///< for routes that were heard of
  std::string user = {};       ///< what routes must show
  std::string password = {};
  Duration auth_timeout = std::chrono::seconds(2);
  TlsFiles tls = {};
};

/// Everything one can set of a server; the defaults are nats-server 2.9's.
struct Options {
  std::string server_name = {};  ///< empty: the server's id
  std::string host = "0.0.0.0";
  int port = 4222;                    ///< -1: any that is free
  bool listen = true;                 ///< false: no client port at all
  std::string client_advertise = {};  ///< "host:port" that clients are told
  std::string monitor_host = {};      ///< empty: `host`
  int monitor_port = 0;               ///< HTTP; 0: none; -1: any that is free
  std::string ports_file_dir = {};    ///< empty: none is written

  std::size_t max_payload = 1U << 20U;  ///< bytes, headers included
  std::size_t max_control_line = 4096;
  std::size_t max_connections = 65536;
  std::size_t max_subscriptions = 0;  ///< of a connection; 0: no limit
  std::size_t max_subject_tokens = 0;
  std::size_t max_pending = 64U << 20U;  ///< bytes that wait for one client
  Duration ping_interval = std::chrono::minutes(2);
  int ping_max = 2;
  Duration write_deadline = std::chrono::seconds(10);
  Duration lame_duck_duration = std::chrono::minutes(2);
  Duration lame_duck_grace = std::chrono::seconds(10);

  Authorization authorization = {};
  TlsFiles tls = {};
  bool allow_non_tls = false;
  ClusterOptions cluster = {};

  bool debug = false;
  bool trace = false;
};

}  // namespace micro::natsd
