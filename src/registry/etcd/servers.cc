#include "registry/etcd/servers.h"

#include <algorithm>
#include <string_view>

#include "base/address.h"

namespace micro::etcd {
namespace {

constexpr std::string_view kDefaultServer = "127.0.0.1:2379";
constexpr std::string_view kDefaultPort = ":2379";

std::string_view SchemeOf(std::string_view address) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (address.starts_with(scheme)) return scheme;
  }
  return "";
}

bool HasPort(std::string_view host) {
  if (host.starts_with('[')) return !host.ends_with(']');
  return host.contains(':');
}

Result<std::string> ParseServer(std::string_view address) {
  const std::string_view scheme = SchemeOf(address);
  std::string host(address.substr(scheme.size()));
  if (!scheme.empty() && host.ends_with('/')) host.pop_back();
  if (!HasPort(host)) host += kDefaultPort;
  const auto parsed = ParseHostPort(host);
  if (!parsed) return Failure(parsed.error());
  if (!parsed->host.empty() && parsed->port != 0) return std::string(scheme) + host;
  return InvalidArgument("\"" + std::string(address) +
                         "\" is no server: write it like 10.0.0.7:2379");
}

}  // namespace

Result<std::vector<std::string>> ParseServers(const std::vector<std::string>& addresses) {
  std::vector<std::string> servers;
  for (const std::string& address : addresses) {
    auto server = ParseServer(address);
    if (!server) return Failure(server.error());
    if (std::ranges::find(servers, *server) == servers.end()) servers.push_back(*server);
  }
  if (servers.empty()) servers.emplace_back(kDefaultServer);
  return servers;
}

}  // namespace micro::etcd
