#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "micro/transport.h"

#include "net/listener.h"
#include "net/tls_context.h"
#include "transport/grpc/port.h"

namespace micro::grpc {

/// The server side: a port and what came in by it on each loop, within TLS if there is any.
class Listener final : public transport::Listener {
 public:
  static Result<std::unique_ptr<transport::Listener>> Listen(const TransportConfig& config,
                                                             std::shared_ptr<net::TlsContext> tls,
                                                             const std::string& address,
                                                             transport::Acceptor& acceptor);
  ~Listener() override;

  std::string address() const override { return port_->address(); }
  void Drain() override;
  bool quiet() const override { return connections() == 0; }
  std::size_t connections() const override {
    return static_cast<std::size_t>(connections_->load(std::memory_order_acquire));
  }

 private:
  Listener(const TransportConfig& config, transport::Acceptor& acceptor);
  Status Open(const TransportConfig& config, std::shared_ptr<net::TlsContext> tls,
              const std::string& address);
  void OnEachLoop(void (Port::*action)());

  Runtime& runtime_;
  std::shared_ptr<std::atomic<std::int64_t>> connections_;
  std::vector<std::shared_ptr<Port>> ports_;  // by loop
  std::shared_ptr<net::Listener> port_;
};

}  // namespace micro::grpc
