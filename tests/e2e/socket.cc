#include "socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

namespace micro::e2e {
namespace {

constexpr int kPatience = 30;  // seconds

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int NewSocket(int flags = 0) { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0); }

int Connect(int descriptor, std::uint16_t port) {
  const sockaddr_in to = Loopback(port);
  return ::connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
}

int BoundSocket() {
  const int descriptor = NewSocket();
  const sockaddr_in any = Loopback(0);
  ::bind(descriptor, reinterpret_cast<const sockaddr*>(&any), sizeof(any));
  return descriptor;
}

std::uint16_t PortOf(int descriptor) {
  sockaddr_in bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.sin_port);
}

std::uint16_t PortIn(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

std::string AddressOf(int descriptor) { return "127.0.0.1:" + std::to_string(PortOf(descriptor)); }

}  // namespace

Socket::Socket(int descriptor) : descriptor_(descriptor) {
  const timeval patience{.tv_sec = kPatience, .tv_usec = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Socket Socket::Dial(const std::string& address) {
  Socket socket(NewSocket());
  if (Connect(socket.descriptor_, PortIn(address)) != 0) return {};
  return socket;
}

bool Socket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Socket::SendWithin(std::string_view bytes, int seconds) {
  const timeval patience{.tv_sec = seconds, .tv_usec = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  Send(bytes);
}

std::string Socket::Receive() {
  std::string bytes(64U << 10U, '\0');
  const ssize_t size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return bytes;
}

bool Socket::WaitClosed() {
  errno = 0;
  while (!Receive().empty()) {
  }
  return errno != EAGAIN;
}

void Socket::CloseSend() { ::shutdown(descriptor_, SHUT_WR); }

void Socket::Abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  ::close(std::exchange(descriptor_, -1));
}

ListeningSocket::ListeningSocket(int backlog) : descriptor_(BoundSocket()) {
  ::listen(descriptor_, backlog);
}
ListeningSocket::~ListeningSocket() { ::close(descriptor_); }
std::string ListeningSocket::address() const { return AddressOf(descriptor_); }
Socket ListeningSocket::Accept() {
  return Socket(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
}

DeadPort::DeadPort() : descriptor_(BoundSocket()), address_(AddressOf(descriptor_)) {}
DeadPort::~DeadPort() { ::close(descriptor_); }

FullPort::FullPort() {
  for (int& descriptor : fill_) {
    descriptor = NewSocket(SOCK_NONBLOCK);
    Connect(descriptor, PortIn(port_.address()));
  }
}
FullPort::~FullPort() {
  for (const int descriptor : fill_) ::close(descriptor);
}

}  // namespace micro::e2e
