#include "transport/grpc/listener.h"

#include <latch>
#include <unordered_map>
#include <utility>

namespace micro::grpc {

Listener::Listener(const TransportConfig& config, transport::Acceptor& acceptor)
    : runtime_(*config.runtime), connections_(std::make_shared<std::atomic<std::int64_t>>(0)) {
  for (std::size_t i = 0; i < runtime_.loops(); ++i) {
    ports_.push_back(std::make_shared<Port>(config, acceptor, connections_));
  }
}

Result<std::unique_ptr<transport::Listener>> Listener::Listen(const TransportConfig& config,
                                                              const std::string& address,
                                                              transport::Acceptor& acceptor) {
  std::unique_ptr<Listener> listener(new Listener(config, acceptor));
  std::unordered_map<runtime::Loop*, std::shared_ptr<Port>> ports;
  for (std::size_t i = 0; i < listener->ports_.size(); ++i) {
    ports.emplace(&runtime::Loop::Of(config.runtime->loop(i)), listener->ports_[i]);
  }
  auto tcp = net::TcpListener::Listen(
      *config.runtime, address,
      [ports = std::move(ports)](runtime::Loop& loop, std::unique_ptr<net::Link> link) {
        ports.at(&loop)->Add(loop, std::move(link));
      });
  if (!tcp) return Failure(tcp.error());
  listener->tcp_ = *std::move(tcp);
  return listener;
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
  tcp_->Close();
  OnEachLoop(&Port::Drain);
}

Listener::~Listener() {
  if (!tcp_) return;
  tcp_->Close();
  OnEachLoop(&Port::Close);
}

}  // namespace micro::grpc
