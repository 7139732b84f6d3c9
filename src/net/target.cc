#include "net/target.h"

#include <sys/un.h>

namespace micro::net {
namespace {

constexpr std::string_view kUnix = "unix://";
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

Result<Target> ParseUnix(std::string_view address) {
  const std::string_view path = address.substr(std::min(address.size(), kUnix.size()));
  if (!address.starts_with(kUnix) || !path.starts_with('/')) {
    return InvalidArgument("\"" + std::string(address) +
                           "\" is no address: write a unix socket like unix:///run/name.sock");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return InvalidArgument("\"" + std::string(address) + "\" is too long for a unix socket, by " +
                           std::to_string(path.size() + 1 - sizeof(sockaddr_un::sun_path)) +
                           " bytes");
  }
  return Target{.path = std::string(path)};
}

// The length of the scheme before a host.
std::size_t SchemeOf(std::string_view address) {
  if (address.starts_with(kHttps)) return kHttps.size();
  return address.starts_with(kHttp) ? kHttp.size() : 0;
}

}  // namespace

Result<Target> ParseTarget(std::string_view address) {
  if (IsUnixAddress(address)) return ParseUnix(address);
  const std::size_t scheme = SchemeOf(address);
  auto tcp = ParseHostPort(address.substr(scheme));
  if (!tcp) return Failure(std::move(tcp.error()));
  Target target{.tcp = *std::move(tcp)};
  if (scheme > 0) target.tls = scheme == kHttps.size();
  return target;
}

std::string_view AuthorityOf(std::string_view address) {
  if (IsUnixAddress(address)) return "localhost";
  return address.substr(SchemeOf(address));
}

}  // namespace micro::net
