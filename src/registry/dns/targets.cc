#include "registry/dns/targets.h"

#include "base/address.h"
#include "net/dns/name.h"

namespace micro::dns_registry {

Result<Target> ParseTarget(std::string_view text) {
  Target target{.name = std::string(text)};
  if (text.find(':') != std::string_view::npos) {
    auto at = ParseHostPort(text);
    if (!at) return Fails(at.error());
    if (at->host.empty() || at->port == 0) {
      return InvalidArgument("\"" + std::string(text) + "\" has no host or no port");
    }
    return Target{.name = std::move(at->host), .port = at->port};
  }
  if (!text.starts_with('_')) target.name = "_grpc._tcp." + target.name;
  const auto name = dns::Name::FromText(target.name);
  if (!name) return Fails(name.error());
  if (text.empty()) return InvalidArgument("a service without a name");
  return target;
}

}  // namespace micro::dns_registry
