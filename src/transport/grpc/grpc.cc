#include "transport/grpc/grpc.h"

#include <utility>

#include "net/http2/session.h"
#include "net/tcp.h"
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

class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(const TransportConfig& config) : config_(config) {}

  std::string_view name() const override { return "grpc"; }

  Result<std::unique_ptr<transport::Listener>> Listen(const std::string& address,
                                                      transport::Acceptor& acceptor) override {
    return grpc::Listener::Listen(config_, address, acceptor);
  }

  Task<Result<std::shared_ptr<transport::Connection>>> Dial(std::string address,
                                                            Duration timeout) override {
    auto link = co_await net::Connect(std::move(address), timeout);
    if (!link) co_return Failure(std::move(link.error()));
    co_return std::make_shared<GrpcConnection>(*std::move(link), config_.limits);
  }

 private:
  TransportConfig config_;
};

}  // namespace

Result<std::shared_ptr<Transport>> MakeGrpcTransport(const TransportConfig& config) {
  return std::make_shared<GrpcTransport>(config);
}

}  // namespace micro
