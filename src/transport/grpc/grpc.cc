#include "transport/grpc/grpc.h"

#include <mutex>
#include <utility>

#include "net/dial.h"
#include "net/http2/session.h"
#include "net/target.h"
#include "transport/grpc/client_stream.h"
#include "transport/grpc/listener.h"

namespace micro {
namespace {

class GrpcConnection final : public transport::Connection, public http2::Session::Owner {
 public:
  GrpcConnection(std::unique_ptr<net::Link> link, const transport::Limits& limits)
      : limits_(limits),
        session_(std::make_shared<http2::Session>(
            runtime::Loop::Of(*EventLoop::Current()), std::move(link), http2::Role::kClient,
            http2::Settings{.max_streams = 0,
                            .max_header_list = static_cast<std::uint32_t>(limits.max_metadata)},
            *this)) {
    session_->Start();
  }

  ~GrpcConnection() override {
    if (session_) session_->Close("dropped", false);
  }

  bool alive() const override { return session_ && session_->alive(); }
  bool usable() const override { return alive() && session_->has_room(); }

  transport::ClientStreamPtr Open(const transport::CallHead& head) override {
    transport::ClientStreamPtr stream(new grpc::ClientStream(limits_));
    static_cast<grpc::ClientStream&>(*stream).Open(*session_, head);
    return stream;
  }

  http2::Stream* OnStream(http2::Session& /*session*/) override { return nullptr; }
  void OnSessionClosed(http2::Session& /*session*/, std::string_view /*reason*/,
                       bool /*malformed*/) override {
    session_.reset();
  }

 private:
  transport::Limits limits_;
  std::shared_ptr<http2::Session> session_;
};

// The contexts of both sides. That of callers is made when it is first needed, if nothing says that
// it will be: reading the system's CAs takes a while.
class TlsContexts {
 public:
  using Made = Result<std::shared_ptr<net::TlsContext>>;

  explicit TlsContexts(const TransportConfig& config)
      : config_(config.tls), logger_(config.runtime->logger()) {}

  Status MakeThoseNamed() {
    if (config_.serves() || !config_.client_auth.empty()) {
      auto server = net::TlsContext::Make(net::TlsContext::Side::kServer, config_, logger_);
      if (!server) return Failure(server.error());
      if (config_.serves()) server_ = *std::move(server);
    }
    if (!config_.dials()) return Ok();
    if (config_.skip_verify) {
      logger_.Write(LogLevel::kWarn,
                    "--tls_skip_verify: whoever answers is taken for the one that was called");
    }
    const Made client = Client();
    return client ? Ok() : Status(Failure(client.error()));
  }

  /// Null: no TLS.
  const std::shared_ptr<net::TlsContext>& server() const { return server_; }

  Made Client() {
    const std::lock_guard lock(mutex_);
    if (client_) return client_;
    auto made = net::TlsContext::Make(net::TlsContext::Side::kClient, config_, logger_);
    if (made) client_ = *made;
    return made;
  }

  /// For a node at `address`; null: no TLS.
  Made For(const std::string& address) {
    const auto target = net::ParseTarget(address);
    const bool wanted = target && target->tls.value_or(config_.dials());
    return wanted ? Client() : Made(nullptr);
  }

 private:
  const transport::Tls config_;
  Logger& logger_;
  std::shared_ptr<net::TlsContext> server_;
  std::mutex mutex_;
  std::shared_ptr<net::TlsContext> client_;
};

class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(const TransportConfig& config) : config_(config), tls_(config) {}

  Status Prepare() { return tls_.MakeThoseNamed(); }

  std::string_view name() const override { return "grpc"; }

  Result<std::unique_ptr<transport::Listener>> Listen(const std::string& address,
                                                      transport::Acceptor& acceptor) override {
    return grpc::Listener::Listen(config_, tls_.server(), address, acceptor);
  }

  Task<Result<std::shared_ptr<transport::Connection>>> Dial(std::string address,
                                                            Duration timeout) override {
    auto tls = tls_.For(address);
    if (!tls) co_return Failure(std::move(tls.error()));
    auto link = co_await net::Dial(std::move(address), timeout, *std::move(tls));
    if (!link) co_return Failure(std::move(link.error()));
    co_return std::make_shared<GrpcConnection>(*std::move(link), config_.limits);
  }

 private:
  TransportConfig config_;
  TlsContexts tls_;
};

}  // namespace

Result<std::shared_ptr<Transport>> MakeGrpcTransport(const TransportConfig& config) {
  auto transport = std::make_shared<GrpcTransport>(config);
  if (Status prepared = transport->Prepare(); !prepared) return Failure(prepared.error());
  return transport;
}

}  // namespace micro
