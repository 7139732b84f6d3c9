#include "natsd/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace micro::natsd {
namespace {

constexpr int kBacklog = 1024;

Failure CannotListen(const std::string& host, int port, const std::string& why) {
  return Fails(Error(Code::kFailedPrecondition,
                     "cannot listen on " + host + ":" + std::to_string(port) + ": " + why)
                   .set_phase(Phase::kConfigure));
}

// A listening socket, or -1 with errno set.
int TryListen(const SocketAddress& address) {
  const int descriptor =
      ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return -1;
  const int on = 1;
  const int off = 0;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.family() == AF_INET6) {
    ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (::bind(descriptor, address.data(), address.size()) == 0 &&
      ::listen(descriptor, kBacklog) == 0) {
    return descriptor;
  }
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return -1;
}

}  // namespace

SocketAddress SocketAddress::OfPeer(int descriptor) {
  SocketAddress address;
  address.size_ = sizeof(address.storage_);
  auto* raw = reinterpret_cast<sockaddr*>(&address.storage_);
  if (::getpeername(descriptor, raw, &address.size_) != 0) return {};
  return address;
}

SocketAddress SocketAddress::OfSelf(int descriptor) {
  SocketAddress address;
  address.size_ = sizeof(address.storage_);
  auto* raw = reinterpret_cast<sockaddr*>(&address.storage_);
  if (::getsockname(descriptor, raw, &address.size_) != 0) return {};
  return address;
}

SocketAddress SocketAddress::Of(const sockaddr& raw) {
  SocketAddress address;
  if (raw.sa_family == AF_INET) address.size_ = sizeof(sockaddr_in);
  if (raw.sa_family == AF_INET6) address.size_ = sizeof(sockaddr_in6);
  std::memcpy(&address.storage_, &raw, address.size_);
  return address;
}

std::optional<SocketAddress> SocketAddress::Literal(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage_);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage_);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size_ = sizeof(sockaddr_in);
    return address;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size_ = sizeof(sockaddr_in6);
    return address;
  }
  return std::nullopt;
}

Result<std::vector<SocketAddress>> SocketAddress::Resolve(const std::string& host,
                                                          std::uint16_t port, bool passive) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  const int error =
      ::getaddrinfo(host.empty() ? nullptr : host.c_str(), service.c_str(), &hints, &found);
  if (error != 0) return Unavailable(host + ": " + ::gai_strerror(error));
  std::vector<SocketAddress> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_addrlen > sizeof(sockaddr_storage)) continue;
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage_, at->ai_addr, at->ai_addrlen);
    address.size_ = at->ai_addrlen;
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return Unavailable(host + ": the name has no address");
  return addresses;
}

std::string SocketAddress::Ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (family() == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr;
  if (family() == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
  if (bytes == nullptr || ::inet_ntop(family(), bytes, text.data(), text.size()) == nullptr)
    return {};
  const std::string ip = text.data();
  constexpr std::string_view kMapped = "::ffff:";  // IPv4 by way of an IPv6 socket
  const bool mapped = ip.starts_with(kMapped) && ip.find('.') != std::string::npos;
  return mapped ? ip.substr(kMapped.size()) : ip;
}

std::uint16_t SocketAddress::Port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  }
  return 0;
}

Result<int> ListenOn(const std::string& host, int port) {
  const auto addresses =
      SocketAddress::Resolve(host, static_cast<std::uint16_t>(std::max(port, 0)), true);
  if (!addresses) return CannotListen(host, port, addresses.error().detail());
  std::string why;
  for (const SocketAddress& address : *addresses) {
    const int descriptor = TryListen(address);
    if (descriptor >= 0) return descriptor;
    why = std::strerror(errno);
  }
  return CannotListen(host, port, why);
}

}  // namespace micro::natsd
