#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "base/address.h"

// Ports of this machine that behave badly.
namespace micro::net::testing {

/// A port on which nobody listens, for as long as this lives.
class DeadPort {
 public:
  explicit DeadPort(int backlog = -1) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
    if (backlog >= 0) {
      EXPECT_EQ(::listen(socket_, backlog), 0);
    }
  }
  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;
  ~DeadPort() { ::close(socket_); }

  sockaddr_in endpoint() const {
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&bound), &size);
    return bound;
  }
  std::string address() const { return JoinHostPort("127.0.0.1", ntohs(endpoint().sin_port)); }

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

/// Fills the queue of a listening socket that never accepts: who dials it now hears nothing.
class FullPort {
 public:
  FullPort() {
    const sockaddr_in to = port_.endpoint();
    for (int& socket : fill_) {
      socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    }
  }
  FullPort(const FullPort&) = delete;
  FullPort& operator=(const FullPort&) = delete;
  ~FullPort() {
    for (const int socket : fill_) ::close(socket);
  }
  std::string address() const { return port_.address(); }

 private:
  DeadPort port_{0};
  std::array<int, 8> fill_{};
};

}  // namespace micro::net::testing
