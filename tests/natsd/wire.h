#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace micro::natsd::testing {

/// A raw socket to a port that speaks the NATS protocol: what is sent is sent as it is, and what
/// comes is cut into frames, a line each, with the payload where there is one. No wait lasts longer
/// than a minute; one that fails is a failure of the test.
class Wire {
 public:
  /// Connects, and reads INFO.
  explicit Wire(std::uint16_t port);
  Wire(Wire&& other) noexcept;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  Wire& operator=(Wire&& other) noexcept;
  ~Wire();

  /// The JSON of the INFO that came first.
  const std::string& info() const { return info_; }

  void Send(std::string_view bytes);
  /// Sends, and gives the server the time to read it before anything else comes.
  void SendAlone(std::string_view bytes);

  /// The next frame, "MSG a 1 2\r\nhi\r\n"; "[closed]" at the end. PINGs are answered and left out,
  /// and so are INFOs.
  std::string Next();
  /// Sends PING, and returns all frames before its PONG.
  std::string Sync();
  /// All frames until the other side has closed.
  std::string Rest();

  /// As it comes: nothing is answered and nothing left out any more.
  void Listen() { listening_ = true; }
  void Close();

 private:
  bool Receive();
  std::string Frame();
  std::size_t FrameLength();

  int descriptor_ = -1;
  std::string came_;
  std::string info_;
  bool listening_ = false;
};

}  // namespace micro::natsd::testing
