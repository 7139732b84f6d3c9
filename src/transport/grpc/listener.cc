#include "transport/grpc/listener.h"

#include <latch>
#include <unordered_map>
#include <utility>

#include "transport/grpc/port.h"

namespace micro::grpc {

Listener::Listener(const TransportConfig& config, transport::Acceptor& acceptor)
    : runtime_(*config.runtime), connections_(std::make_shared<std::atomic<std::int64_t>>(0)) {
  for (std::size_t i = 0; i < runtime_.loops(); ++i) {
    ports_.push_back(std::make_shared<Port>(config, acceptor, connections_));
  }
}

Result<std::unique_ptr<transport::Listener>> Listener::Listen(const TransportConfig& config,
                                                              std::shared_ptr<net::TlsContext> tls,
                                                              const std::string& address,
                                                              transport::Acceptor& acceptor) {
  std::unique_ptr<Listener> listener(new Listener(config, acceptor));
  if (Status opened = listener->Open(config, std::move(tls), address); !opened) {
    return Failure(opened.error());
  }
  return listener;
}

Status Listener::Open(const TransportConfig& config, std::shared_ptr<net::TlsContext> tls,
                      const std::string& address) {
  std::unordered_map<runtime::Loop*, std::shared_ptr<Port>> ports;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    ports.emplace(&runtime::Loop::Of(runtime_.loop(i)), ports_[i]);
  }
  auto port = net::Listener::Listen(runtime_, address, config.limits.max_connections,
                                    [ports = std::move(ports), tls = std::move(tls)](
                                        runtime::Loop& loop, std::unique_ptr<net::Link> link) {
                                      const auto& here = ports.at(&loop);
                                      tls ? here->AddSecured(loop, std::move(link), *tls)
                                          : here->Add(loop, std::move(link));
                                    });
  if (!port) return Failure(port.error());
  port_ = *std::move(port);
  return Ok();
}

// Runs `action` on every loop and waits for all of them.
void Listener::OnEachLoop(void (Port::*action)()) {
  std::latch done(static_cast<std::ptrdiff_t>(ports_.size()));
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    runtime_.loop(i).Post([&done, action, port = ports_[i]] {
      ((*port).*action)();
      done.count_down();
    });
  }
  done.wait();
}

void Listener::Drain() {
  port_->Close();
  OnEachLoop(&Port::Drain);
}

Listener::~Listener() {
  if (!port_) return;
  port_->Close();
  OnEachLoop(&Port::Close);
}

}  // namespace micro::grpc
