#include "net/link.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include <boost/asio/ip/tcp.hpp>

#include "base/address.h"

namespace micro::net {
namespace {

using boost::asio::ip::tcp;

std::string PeerOf(const Socket& socket) {
  boost::system::error_code error;
  const auto generic = socket.remote_endpoint(error);
  if (error) return "unknown";
  if (generic.protocol().family() == AF_UNIX) return "unix";
  tcp::endpoint endpoint;
  if (generic.size() > endpoint.capacity()) return "unknown";
  endpoint.resize(generic.size());
  std::memcpy(endpoint.data(), generic.data(), generic.size());
  return JoinHostPort(endpoint.address().to_string(), endpoint.port());
}

}  // namespace

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

void Link::Close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  place_.reset();
}

}  // namespace micro::net
