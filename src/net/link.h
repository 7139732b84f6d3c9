#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "micro/duration.h"

namespace micro::net {

/// A connected socket of any family that is a stream of bytes: TCP or unix.
using Socket = boost::asio::generic::stream_protocol::socket;

/// "127.0.0.1:41897"; "unix" for a unix socket, "unknown" for what is neither.
std::string AddressOf(const Socket::endpoint_type& endpoint);

/// One end of a connection: bytes both ways, on one event loop. This one is plain; what derives
/// from it wraps the bytes up.
///
/// Reading and writing never block: they say EAGAIN, and the owner waits. An owner that waits keeps
/// itself alive by what it hands over, and sees to it that nothing is done once it has closed.
class Link {
 public:
  explicit Link(Socket socket);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  virtual ~Link() = default;

  /// As recv(2): how many bytes came, 0 at the end, or -1 with errno set. Less than asked for means
  /// that there is no more now, unless `more()`.
  virtual ssize_t Read(std::span<std::uint8_t> bytes);
  /// As send(2): how many bytes were taken, or -1 with errno set. Never raises SIGPIPE.
  virtual ssize_t Write(std::string_view bytes);
  /// Whether there may be bytes that waiting would not tell of.
  virtual bool more() const { return false; }
  /// Why Read or Write has just returned -1.
  virtual std::string Why() const;
  /// Whether nobody between the two ends can read along.
  virtual bool secure() const { return false; }
  /// Has the kernel find out whether the other end's machine still answers: after this much
  /// silence, within this much time. Zero: not. A unix socket's end needs no such thing.
  void Probe(Duration silence, Duration answer);
  /// Says that nothing more will be written; what comes can still be read.
  virtual void CloseWrite();
  /// Closes at once.
  virtual void Close();
  /// Lets go of `place` when the link is closed, or is no more.
  void Hold(std::shared_ptr<void> place) { place_ = std::move(place); }

  /// Calls `then(error_code)` when there may be something to read, or room to write.
  template <typename Then>
  void WaitReadable(Then then) {
    if (more()) {
      boost::asio::post(socket_.get_executor(),
                        [then = std::move(then)]() mutable { then(boost::system::error_code()); });
      return;
    }
    socket_.async_wait(Socket::wait_read, std::move(then));
  }
  template <typename Then>
  void WaitWritable(Then then) {
    socket_.async_wait(Socket::wait_write, std::move(then));
  }

  /// Who is at the other end, "127.0.0.1:41897"; "unix" for a unix socket.
  const std::string& peer() const { return peer_; }

 protected:
  /// For those who go on where a plain link was.
  Link(Link&& other) = default;

  Socket socket_;

 private:
  std::string peer_;
  std::shared_ptr<void> place_;
};

}  // namespace micro::net
