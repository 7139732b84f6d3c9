#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace micro::natsd::testing {

/// A socket on which tests say what they like, and see exactly what comes back. Waits ten seconds
/// at the most; an end of the connection reads as "<closed>", silence as "<timeout>".
class RawClient {
 public:
  static constexpr std::string_view kClosed = "<closed>";
  static constexpr std::string_view kTimeout = "<timeout>";
  static constexpr std::string_view kQuiet =
      R"({"verbose":false,"pedantic":false,"headers":true,"protocol":1})";

  explicit RawClient(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connected_ =
        ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { Close(); }

  /// One that has read INFO, said CONNECT and had its PONG.
  static void Greet(RawClient& client, std::string_view options = kQuiet) {
    client.Line();
    client.Send("CONNECT " + std::string(options) + "\r\n");
    client.Sync();
  }

  bool connected() const { return connected_; }
  int descriptor() const { return descriptor_; }

  void Close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  /// False when the other side has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next line, without its CRLF.
  std::string Line() {
    while (buffer_.find("\r\n") == std::string::npos) {
      const std::string_view state = Fill();
      if (!state.empty()) return std::string(state);
    }
    const std::size_t end = buffer_.find("\r\n");
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
  }

  /// The next `size` bytes.
  std::string Bytes(std::size_t size) {
    while (buffer_.size() < size) {
      const std::string_view state = Fill();
      if (!state.empty()) return std::string(state);
    }
    std::string bytes = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return bytes;
  }

  /// PING, and all that comes ahead of its PONG. PINGs of the server are left out.
  std::string Sync() {
    Send("PING\r\n");
    std::string before;
    while (true) {
      const std::string line = Line();
      if (line == "PONG" || line == kClosed || line == kTimeout) return before;
      if (line == "PING") {
        Send("PONG\r\n");
        continue;
      }
      before += line + "\n";
    }
  }

 private:
  std::string_view Fill() {
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10'000) <= 0) return kTimeout;
    char bytes[65536];
    const ssize_t got = ::recv(descriptor_, bytes, sizeof(bytes), 0);
    if (got <= 0) return kClosed;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return {};
  }

  int descriptor_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace micro::natsd::testing
