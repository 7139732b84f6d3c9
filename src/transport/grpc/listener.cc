#include "transport/grpc/listener.h"

#include <latch>
#include <utility>

#include "net/tls.h"
#include "transport/grpc/server_stream.h"

namespace micro::grpc {

class Listener::Port final : public http2::Session::Owner,
                             public std::enable_shared_from_this<Port> {
 public:
  Port(const TransportConfig& config, transport::Acceptor& acceptor,
       std::shared_ptr<std::atomic<std::int64_t>> connections)
      : limits_(config.limits),
        lifetimes_(config.lifetimes),
        acceptor_(acceptor),
        connections_(std::move(connections)) {}

  void Add(runtime::Loop& loop, std::unique_ptr<net::Link> link) {
    if (closed_) return;
    const http2::Settings settings{
        .max_streams = static_cast<std::uint32_t>(limits_.max_streams),
        .max_header_list = static_cast<std::uint32_t>(limits_.max_metadata),
        .lifetimes = lifetimes_};
    auto session = std::make_shared<http2::Session>(loop, std::move(link), http2::Role::kServer,
                                                    settings, *this);
    sessions_.emplace(session.get(), session);
    connections_->fetch_add(1, std::memory_order_acq_rel);
    session->Start();
    if (draining_) session->Shutdown();
  }

  // The handshake may outlast everything but this.
  void AddSecured(runtime::Loop& loop, std::unique_ptr<net::Link> link, net::TlsContext& tls) {
    const std::string peer = link->peer();
    net::Secure(loop, std::move(link), tls, "", tls.config().handshake_timeout,
                [self = shared_from_this(), &loop, peer](Result<std::unique_ptr<net::Link>> made) {
                  made ? self->Add(loop, *std::move(made))
                       : self->Refuse(peer, made.error().detail());
                });
  }

  void Drain() {
    draining_ = true;
    for (const auto& session : Sessions()) session->Shutdown();
  }

  void Close() {
    closed_ = true;
    for (const auto& session : Sessions()) session->Close("the server has stopped");
  }

  http2::Stream* OnStream(http2::Session& session) override {
    return ServerStream::Make(limits_, acceptor_, session);
  }

  void OnSessionClosed(http2::Session& session, std::string_view reason, bool malformed) override {
    if (malformed) Refuse(session.peer(), std::string(reason));
    sessions_.erase(&session);
    connections_->fetch_sub(1, std::memory_order_acq_rel);
  }

 private:
  // The acceptor may be gone once this is closed.
  void Refuse(const std::string& peer, const std::string& why) {
    if (!closed_ && !why.empty()) acceptor_.OnRefused(peer, why);
  }

  // A copy, as closing takes sessions out.
  std::vector<std::shared_ptr<http2::Session>> Sessions() const {
    std::vector<std::shared_ptr<http2::Session>> sessions;
    for (const auto& [key, session] : sessions_) sessions.push_back(session);
    return sessions;
  }

  const transport::Limits limits_;
  const transport::Lifetimes lifetimes_;
  transport::Acceptor& acceptor_;
  std::shared_ptr<std::atomic<std::int64_t>> connections_;
  std::unordered_map<http2::Session*, std::shared_ptr<http2::Session>> sessions_;
  bool draining_ = false;
  bool closed_ = false;
};

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
