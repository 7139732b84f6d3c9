#include "base/address.h"

#include <charconv>
#include <optional>

namespace micro {
namespace {

Failure NoAddress(std::string_view text, std::string_view why) {
  return InvalidArgument("\"" + std::string(text) + "\" is no address: " + std::string(why) +
                         "; write it like host:port or [::1]:port");
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return port;
}

bool IsHostCharacter(char c) {
  return c != '[' && c != ']' && c != '/' && c != '=' && c > ' ' && c != '\x7f';
}

bool IsHost(std::string_view host) {
  for (const char c : host) {
    if (!IsHostCharacter(c)) return false;
  }
  return true;
}

}  // namespace

Result<HostPort> ParseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return NoAddress(text, "it has no port");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return NoAddress(text, "the bracket is not closed before the port");
    host = host.substr(1, host.size() - 2);
    if (host.empty()) return NoAddress(text, "there is nothing between the brackets");
  } else if (host.find(':') != std::string_view::npos) {
    return NoAddress(text, "IPv6 needs brackets");
  }
  if (!IsHost(host)) return NoAddress(text, "the host has a character no host has");
  const auto port = ParsePort(text.substr(colon + 1));
  if (!port) return NoAddress(text, "the port is no number from 0 to 65535");
  return HostPort{.host = std::string(host), .port = *port};
}

std::string JoinHostPort(std::string_view host, std::uint16_t port) {
  const bool brackets = host.find(':') != std::string_view::npos;
  std::string text = brackets ? "[" : "";
  text += host;
  text += brackets ? "]:" : ":";
  return text + std::to_string(port);
}

}  // namespace micro
