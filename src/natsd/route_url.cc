#include "natsd/route_url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/address.h"

namespace micro::natsd {
namespace {

constexpr std::array<std::string_view, 3> kSchemes = {"nats-route://", "nats://", "tls://"};
constexpr std::size_t kLongest = 4096;

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() != 2 || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    plain += static_cast<char>(value);
    i += 2;
  }
  return plain;
}

Failure NoRoute(std::string_view address) {
  return InvalidArgument("\"" + std::string(address.substr(0, 200)) +
                         "\" is no route: write nats-route://host:port");
}

// Into `url`, what stands before the "@".
bool ReadUser(std::string_view text, RouteUrl& url) {
  const auto colon = text.find(':');
  auto user = PercentDecode(text.substr(0, colon));
  auto password =
      PercentDecode(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  if (!user || !password) return false;
  url.user = *std::move(user);
  url.password = *std::move(password);
  return true;
}

}  // namespace

Result<RouteUrl> ParseRouteUrl(std::string_view text) {
  if (text.size() > kLongest) return NoRoute("…");
  for (const std::string_view scheme : kSchemes) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    break;
  }
  RouteUrl url;
  const auto at = text.rfind('@');
  const std::string_view address = at == std::string_view::npos ? text : text.substr(at + 1);
  if (at != std::string_view::npos && !ReadUser(text.substr(0, at), url)) return NoRoute(address);
  auto parsed =
      ParseHostPort(address.ends_with('/') ? address.substr(0, address.size() - 1) : address);
  if (!parsed || parsed->host.empty() || parsed->port == 0) return NoRoute(address);
  url.host = std::move(parsed->host);
  url.port = parsed->port;
  return url;
}

std::string ShowRouteUrl(const RouteUrl& url) {
  return "nats-route://" + JoinHostPort(url.host, url.port);
}

}  // namespace micro::natsd
