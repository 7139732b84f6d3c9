#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace micro::e2e {

/// A blocking TCP socket, for bytes that no well-behaved peer would send. No wait lasts for ever.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor);
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket();

  /// Connects to "127.0.0.1:port".
  static Socket Dial(const std::string& address);

  bool connected() const { return descriptor_ >= 0; }
  /// False when the other side has gone.
  bool Send(std::string_view bytes);
  /// Sends as much as the other side takes, until it takes nothing for so many seconds.
  void SendWithin(std::string_view bytes, int seconds);
  /// What has come, or comes next; empty once the other side has gone or says nothing for long.
  std::string Receive();
  /// Reads until the other side has closed; false when it does not.
  bool WaitClosed();
  /// No more will be sent.
  void CloseSend();
  /// Ends it with an RST.
  void Abort();

 private:
  int descriptor_ = -1;
};

/// A port that is listened on, by hand.
class ListeningSocket {
 public:
  explicit ListeningSocket(int backlog = 16);
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ~ListeningSocket();

  std::string address() const;
  Socket Accept();

 private:
  int descriptor_;
};

/// A port of this machine on which nobody listens.
class DeadPort {
 public:
  DeadPort();
  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;
  ~DeadPort();
  const std::string& address() const { return address_; }

 private:
  int descriptor_;
  std::string address_;
};

/// A port that never accepts: who dials it hears nothing.
class FullPort {
 public:
  FullPort();
  FullPort(const FullPort&) = delete;
  FullPort& operator=(const FullPort&) = delete;
  ~FullPort();
  std::string address() const { return port_.address(); }

 private:
  ListeningSocket port_{0};
  std::array<int, 8> fill_{};
};

}  // namespace micro::e2e
