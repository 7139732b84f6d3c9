#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

/// Ends the program: its figures would be worth nothing.
[[noreturn]] inline void Fail(const std::string& why) {
  std::fprintf(stderr, "bench-nats-load: %s\n", why.c_str());
  std::_Exit(1);
}

/// A blocking connection to a NATS server that costs next to nothing. Nothing it waits for takes
/// longer than kPatience.
class NatsWire {
 public:
  static constexpr int kPatience = 30;  // seconds

  explicit NatsWire(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      Fail("cannot connect to port " + std::to_string(port));
    }
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const timeval patience{.tv_sec = kPatience, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  }
  NatsWire(NatsWire&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  NatsWire(const NatsWire&) = delete;
  NatsWire& operator=(const NatsWire&) = delete;
  NatsWire& operator=(NatsWire&&) = delete;
  ~NatsWire() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }

  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) Fail("the server takes no more");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Says who we are and what else is in `lines`; returns when the server has taken it in.
  void Hello(const std::string& lines) const {
    Send("CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true}\r\n");
    Send(lines);
    Settle();
  }

  /// Returns when the server has worked off all that was sent. What else comes is thrown away.
  void Settle() const {
    Send("PING\r\n");
    std::string came;
    std::array<char, 65536> bytes{};
    while (came.find("PONG\r\n") == std::string::npos) {
      const ssize_t size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
      if (size <= 0) Fail("the server is gone: " + came.substr(0, 200));
      if (came.size() > bytes.size()) came.erase(0, came.size() - 16);
      came.append(bytes.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  int descriptor_;
};

}  // namespace bench
