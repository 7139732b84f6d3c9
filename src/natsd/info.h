#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"

namespace micro::natsd {

/// What INFO says to a client.
struct ClientInfo {
  std::string server_id = {};
  std::string server_name = {};
  std::string host = {};
  std::uint16_t port = 0;
  std::size_t max_payload = 0;
  bool auth_required = false;
  bool tls_required = false;
  bool tls_verify = false;
  bool tls_available = false;
  std::uint64_t client_id = 0;
  std::string client_ip = {};
  std::string nonce = {};
  std::string cluster = {};
  bool cluster_dynamic = false;
  std::vector<std::string> connect_urls = {};
  bool lame_duck = false;

  /// The whole line.
  std::string Line() const;
};

/// What INFO says between servers.
struct RouteInfo {
  std::string server_id = {};
  std::string server_name = {};
  std::string version = {};
  int protocol = 0;
  std::string host = {};
  int port = 0;
  bool auth_required = false;
  bool tls_required = false;
  std::uint64_t max_payload = 0;
  std::string ip = {};  ///< "nats-route://host:port/", for those it is passed on to
  std::vector<std::string> connect_urls = {};
  std::string cluster = {};
  bool cluster_dynamic = false;
  bool headers = false;
  bool lame_duck = false;

  std::string Line() const;
  /// INVALID_ARGUMENT for what is no INFO of a server.
  static Result<RouteInfo> Read(std::string_view json);
};

/// What CONNECT says between servers.
struct RouteConnect {
  std::string server_id = {};
  std::string user = {};
  std::string password = {};
  bool tls_required = false;
  std::string cluster = {};
  bool cluster_dynamic = false;

  std::string Line() const;
};

}  // namespace micro::natsd
