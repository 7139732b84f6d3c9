#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "micro/error.h"

namespace micro::natsd {

/// Where a socket is, or is to be.
class SocketAddress {
 public:
  static SocketAddress OfPeer(int descriptor);
  static SocketAddress OfSelf(int descriptor);
  static SocketAddress Of(const sockaddr& raw);
  /// Of a literal address; nothing for a name.
  static std::optional<SocketAddress> Literal(const std::string& host, std::uint16_t port);
  /// What a name or a literal address stands for; looking a name up takes time. UNAVAILABLE when it
  /// stands for nothing.
  static Result<std::vector<SocketAddress>> Resolve(const std::string& host, std::uint16_t port,
                                                    bool passive);

  /// "127.0.0.1", "::1"; empty when there is none.
  std::string Ip() const;
  std::uint16_t Port() const;

  int family() const { return storage_.ss_family; }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// A socket that listens there: its descriptor, or FAILED_PRECONDITION with Phase::kConfigure.
Result<int> ListenOn(const std::string& host, int port);

}  // namespace micro::natsd
