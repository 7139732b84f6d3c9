#include "net/link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <boost/asio/ip/tcp.hpp>

#include "base/address.h"

namespace micro::net {
namespace {

using boost::asio::ip::tcp;

constexpr char kUnknown[] = "unknown";

std::string PeerOf(const Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? kUnknown : AddressOf(endpoint);
}

}  // namespace

std::string AddressOf(const Socket::endpoint_type& endpoint) {
  if (endpoint.protocol().family() == AF_UNIX) return "unix";
  tcp::endpoint at;
  if (endpoint.size() > at.capacity()) return kUnknown;
  at.resize(endpoint.size());
  std::memcpy(at.data(), endpoint.data(), endpoint.size());
  return JoinHostPort(at.address().to_string(), at.port());
}

Link::Link(Socket socket) : socket_(std::move(socket)), peer_(PeerOf(socket_)) {
  boost::system::error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

ssize_t Link::Read(std::span<std::uint8_t> bytes) {
  return ::recv(socket_.native_handle(), bytes.data(), bytes.size(), 0);
}

ssize_t Link::Write(std::string_view bytes) {
  return ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Link::CloseWrite() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

std::string Link::Why() const { return std::strerror(errno); }

// In whole seconds, as the kernel counts, and three probes.
void Link::Probe(Duration silence, Duration answer) {
  constexpr int kProbes = 3;
  if (silence == Duration::zero() || answer == Duration::zero()) return;
  const auto seconds = [](Duration duration) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return static_cast<int>(std::clamp<std::int64_t>(whole, 1, 32'767));
  };
  const int descriptor = socket_.native_handle();
  const auto set = [descriptor](int level, int option, int value) {
    ::setsockopt(descriptor, level, option, &value, sizeof(value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, seconds(silence));
  set(IPPROTO_TCP, TCP_KEEPINTVL, seconds(answer / kProbes));
  set(IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, (seconds(silence) + seconds(answer)) * 1000);
}

void Link::Close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  place_.reset();
}

}  // namespace micro::net
