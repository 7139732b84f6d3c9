#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "micro/error.h"
#include "micro/runtime.h"
#include "micro/task.h"

#include "net/link.h"
#include "runtime/loop.h"

namespace micro::net {

/// Connects to "host:port" on the loop it is awaited on. UNAVAILABLE with Phase::kConnect, saying
/// why, when that fails or takes longer than `timeout`.
Task<Result<std::unique_ptr<Link>>> Connect(std::string address, Duration timeout);

/// Listens on a TCP port and deals what connects out to the runtime's loops in turn.
class TcpListener : public std::enable_shared_from_this<TcpListener> {
 public:
  /// Called on the loop the link belongs to.
  using Accepted = std::function<void(runtime::Loop&, std::unique_ptr<Link>)>;

  /// FAILED_PRECONDITION with Phase::kConfigure, in one sentence, when the address cannot be had.
  static Result<std::shared_ptr<TcpListener>> Listen(Runtime& runtime, const std::string& address,
                                                     Accepted accepted);

  /// "host:port" as bound.
  const std::string& address() const { return address_; }
  /// Accepts no more. From any thread.
  void Close();

 private:
  explicit TcpListener(Runtime& runtime, Accepted accepted);
  Status Bind(const std::string& text, const boost::asio::ip::tcp::endpoint& endpoint);
  void Accept();
  void OnAccept(const boost::system::error_code& error, Socket socket, runtime::Loop& loop);

  Runtime& runtime_;
  Accepted accepted_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::string address_;
  std::size_t turn_ = 0;
};

}  // namespace micro::net
