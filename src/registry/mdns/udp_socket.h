#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "micro/error.h"

#include "registry/mdns/links.h"

namespace micro::mdns {

/// mDNS's port and groups (RFC 6762), go-micro's as well.
inline constexpr std::uint16_t kPort = 5353;

/// Where a datagram came from; keeps the scope of link-local IPv6.
class Peer {
 public:
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage_); }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const {
    return raw()->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }
  boost::asio::ip::address address() const;

 private:
  sockaddr_in6 storage_{};
};

struct Datagram {
  std::string_view payload;  ///< in the buffer it was received into
  Peer from;
  unsigned interface_index = 0;
  bool to_group = false;  ///< it was sent to many, which nobody beyond the link can do
};

/// A non-blocking UDP socket of one address family; moves, and closes when destroyed.
class UdpSocket final {
 public:
  enum class Family : std::uint8_t { kV4, kV6 };

  /// A socket on port 5353 beside those of other processes. Sets both SO_REUSEADDR and
  /// SO_REUSEPORT: a socket with only one of them excludes those with only the other.
  static Result<UdpSocket> BindGroupPort(Family family);
  /// A socket on a port of its own, whose multicast leaves by `link`.
  static Result<UdpSocket> ForQueries(const Link& link);

  UdpSocket(UdpSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), family_(other.family_) {}
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  int fd() const { return fd_; }
  Family family() const { return family_; }

  /// Receives the group's datagrams that reach `link`.
  Status Join(const Link& link);
  void Leave(const Link& link);

  Status SendToGroup(const Link& link, std::string_view payload);
  Status SendTo(const Peer& to, std::string_view payload);

  /// The next datagram, if one waits.
  std::optional<Datagram> Receive(std::span<char> buffer);

 private:
  UdpSocket(int fd, Family family) : fd_(fd), family_(family) {}
  static Result<UdpSocket> Open(Family family);
  Status Bind(std::uint16_t port);
  Status SendFrom(const Link& link);
  Status Membership(const Link& link, int v4_option, int v6_option);
  template <typename Option>
  Status Set(int level, int name, const Option& option);

  int fd_;
  Family family_;
};

UdpSocket::Family FamilyOf(const Link& link);

/// The largest datagram there is.
inline constexpr std::size_t kMaxDatagramOctets = 65536;

}  // namespace micro::mdns
