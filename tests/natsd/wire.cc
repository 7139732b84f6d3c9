#include "wire.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace micro::natsd::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNotYet = std::string::npos;

bool HasPayload(std::string_view line) {
  return line.starts_with("MSG ") || line.starts_with("HMSG ") || line.starts_with("RMSG ");
}

}  // namespace

Wire::Wire(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const std::string line = Frame();
  EXPECT_TRUE(line.starts_with("INFO {")) << line;
  info_ = line.substr(std::min<std::size_t>(5, line.size()));
}

Wire::Wire(Wire&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      came_(std::move(other.came_)),
      info_(std::move(other.info_)),
      listening_(other.listening_) {}

Wire& Wire::operator=(Wire&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(came_, other.came_);
  std::swap(info_, other.info_);
  std::swap(listening_, other.listening_);
  return *this;
}

Wire::~Wire() { Close(); }

void Wire::Close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Wire::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // what was to be answered is missed later
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Wire::SendAlone(std::string_view bytes) {
  Send(bytes);
  int unacknowledged = 1;
  while (::ioctl(descriptor_, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0) {
    std::this_thread::yield();
  }
  std::this_thread::sleep_for(1ms);  // only makes it likelier that it is read alone
}

bool Wire::Receive() {
  std::array<char, 65536> bytes{};
  const ssize_t size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    ADD_FAILURE() << "nothing comes; before it came: " << came_;
  }
  if (size > 0) came_.append(bytes.data(), static_cast<std::size_t>(size));
  return size > 0;
}

std::size_t Wire::FrameLength() {
  const auto end = came_.find("\r\n");
  if (end == kNotYet) return kNotYet;
  if (!HasPayload(came_)) return end + 2;
  const auto space = came_.rfind(' ', end);
  const std::size_t whole = end + 2 + std::strtoul(came_.c_str() + space, nullptr, 10) + 2;
  return came_.size() < whole ? kNotYet : whole;
}

std::string Wire::Frame() {
  std::size_t length = 0;
  while ((length = FrameLength()) == kNotYet) {
    if (!Receive()) return std::exchange(came_, "") + "[closed]";
  }
  std::string frame = came_.substr(0, length);
  came_.erase(0, length);
  return frame;
}

std::string Wire::Next() {
  for (;;) {
    std::string frame = Frame();
    if (listening_) return frame;
    if (frame == "PING\r\n") {
      Send("PONG\r\n");
    } else if (!frame.starts_with("INFO ")) {
      return frame;
    }
  }
}

std::string Wire::Sync() {
  Send("PING\r\n");
  std::string all;
  for (;;) {
    const std::string frame = Next();
    if (frame == "PONG\r\n") return all;
    all += frame;
    if (frame.ends_with("[closed]")) return all;
  }
}

std::string Wire::Rest() {
  std::string all;
  for (;;) {
    const std::string frame = Next();
    if (frame.ends_with("[closed]")) return all + frame.substr(0, frame.size() - 8);
    all += frame;
  }
}

}  // namespace micro::natsd::testing
