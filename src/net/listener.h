#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>

#include "micro/error.h"
#include "micro/runtime.h"

#include "net/link.h"
#include "net/target.h"
#include "runtime/loop.h"

namespace micro::net {

/// Listens on a TCP port or a unix socket, and deals what connects out to the runtime's loops in
/// turn.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// Called on the loop the link belongs to.
  using Accepted = std::function<void(runtime::Loop&, std::unique_ptr<Link>)>;

  /// FAILED_PRECONDITION with Phase::kConfigure, in one sentence, when the address cannot be had. A
  /// unix socket's file is made for owner and group; one that nobody listens on is replaced.
  /// Connections beyond `max_connections` are closed at once.
  static Result<std::shared_ptr<Listener>> Listen(Runtime& runtime, const std::string& address,
                                                  std::size_t max_connections, Accepted accepted);
  ~Listener();

  /// "host:port" or "unix:///path" as bound.
  const std::string& address() const { return address_; }
  /// Accepts no more, and removes the file of a unix socket. From any thread.
  void Close();

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<Socket::protocol_type>;

  Listener(Runtime& runtime, std::size_t max_connections, Accepted accepted);
  Status Open(const std::string& text, const Target& target);
  Status OpenTcp(const std::string& text, const HostPort& at);
  Status OpenUnix(const std::string& text, const std::string& path);
  Status Bind(const std::string& text, const Socket::endpoint_type& endpoint);
  void RemoveFile();
  void Accept();
  void OnAccept(const boost::system::error_code& error, Socket socket, runtime::Loop& loop);
  void Welcome(Socket socket, runtime::Loop& loop);
  void TurnAway();

  Runtime& runtime_;
  const std::size_t max_connections_;
  Accepted accepted_;
  Acceptor acceptor_;
  std::string address_;
  std::string path_;         // of a unix socket's file that is ours
  std::uint64_t inode_ = 0;  // of that file
  std::shared_ptr<std::atomic<std::size_t>> open_;
  std::size_t turned_away_ = 0;  // since it was last logged
  TimePoint logged_{};
  std::size_t turn_ = 0;
};

}  // namespace micro::net
