#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "micro/transport.h"

#include "net/http2/session.h"
#include "net/tcp.h"

namespace micro::grpc {

/// The server side: a TCP port and the HTTP/2 sessions that came in by it.
class Listener final : public transport::Listener {
 public:
  static Result<std::unique_ptr<transport::Listener>> Listen(const TransportConfig& config,
                                                             const std::string& address,
                                                             transport::Acceptor& acceptor);
  ~Listener() override;

  std::string address() const override { return tcp_->address(); }
  void Drain() override;

 private:
  // The sessions of one loop; touched on that loop only.
  class Port;

  Listener(const TransportConfig& config, transport::Acceptor& acceptor);
  void OnEachLoop(void (Port::*action)());

  Runtime& runtime_;
  std::vector<std::shared_ptr<Port>> ports_;  // by loop
  std::shared_ptr<net::TcpListener> tcp_;
};

}  // namespace micro::grpc
