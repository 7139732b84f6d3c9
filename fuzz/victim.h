#pragma once

// A server that survives whatever strangers send to its port, for the fuzz targets of connections.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <google/protobuf/wrappers.pb.h>

#include "micro/handler.h"
#include "micro/server.h"

#include "codec/json/json.h"
#include "codec/proto/proto.h"
#include "expect.h"
#include "server/parts.h"
#include "transport/grpc/port.h"

namespace micro::fuzz {

using google::protobuf::BytesValue;

class EchoHandler final : public Handler {
 public:
  std::string_view name() const override { return "fuzz.Echo"; }
  std::span<const Method> methods() const override;
  Task<Result<BytesValue>> Echo(Context& /*context*/, BytesValue request) {
    if (request.value().starts_with("wait")) co_await Sleep(std::chrono::milliseconds(1));
    if (request.value().starts_with("fail")) co_return Aborted(request.value());
    co_return request;
  }
};

inline std::span<const Method> EchoHandler::methods() const {
  static const std::array<Method, 2> kMethods = {{{{.path = "/fuzz.Echo/Call",
                                                    .request = BytesValue::descriptor,
                                                    .response = BytesValue::descriptor},
                                                   ServeAsync<&EchoHandler::Echo>},
                                                  {{.path = "/fuzz.Echo/Look",
                                                    .idempotent = true,
                                                    .no_side_effects = true,
                                                    .request = BytesValue::descriptor,
                                                    .response = BytesValue::descriptor},
                                                   ServeAsync<&EchoHandler::Echo>}}};
  return kMethods;
}

// Hands its acceptor out instead of listening.
class NoTransport final : public Transport {
 public:
  explicit NoTransport(transport::Acceptor*& acceptor) : acceptor_(acceptor) {}
  std::string_view name() const override { return "none"; }
  Result<std::unique_ptr<transport::Listener>> Listen(const std::string& /*address*/,
                                                      transport::Acceptor& acceptor) override {
    acceptor_ = &acceptor;
    return nullptr;
  }
  Task<Result<std::shared_ptr<transport::Connection>>> Dial(std::string /*address*/,
                                                            Duration /*timeout*/) override {
    co_return Unimplemented("nobody dials");
  }

 private:
  transport::Acceptor*& acceptor_;
};

/// A server with an Echo, and one port of it, to which connections are handed one after the other.
class Victim {
 public:
  Victim() {
    Codecs codecs;
    codecs.Add(std::make_shared<ProtoCodec>(), {"application/grpc"});
    codecs.Add(std::make_shared<JsonCodec>(), {"application/json"});
    server_.emplace(ServerParts{.name = "fuzz",
                                .address = "",
                                .runtime = &runtime_,
                                .transport = std::make_shared<NoTransport>(acceptor_),
                                .codecs = std::move(codecs)});
    Expect(server_->Handle(std::make_shared<EchoHandler>()).has_value());
    Expect(server_->Start().has_value());
    const TransportConfig config{
        .runtime = &runtime_, .limits = {.max_message = 1000}, .cors_origins = {"*"}};
    port_.emplace(config, *acceptor_, connections_);
  }

  /// Sends `bytes` as a stranger would, half-closes, and reads until the port has let go.
  void Serve(std::string_view bytes) {
    std::array<int, 2> ends{};
    Expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    runtime_.loop(0).Post([&] { Open(ends[0]); });
    std::jthread reading([&] { ReadAll(ends[1]); });  // who does not read is not written to
    while (!bytes.empty()) {
      const ssize_t sent = ::send(ends[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::shutdown(ends[1], SHUT_WR);
    reading.join();
    ::close(ends[1]);
    WaitForget();
  }

 private:
  void Open(int descriptor) {
    runtime::Loop& loop = runtime::Loop::Of(runtime_.loop(0));
    net::Socket socket(loop.io(), {AF_UNIX, 0}, descriptor);
    port_->Add(loop, std::make_unique<net::Link>(std::move(socket)));
  }

  static void ReadAll(int descriptor) {
    std::array<char, 4096> bytes{};
    while (::recv(descriptor, bytes.data(), bytes.size(), 0) > 0) {
    }
  }

  // The port counts those that it holds; it has told the socket first.
  void WaitForget() {
    while (connections_->load(std::memory_order_acquire) > 0) {
      internal::Parker turn;
      runtime_.loop(0).Post([&] { turn.Signal(); });
      turn.Wait();
    }
  }

  Runtime runtime_{{.loops = 1, .workers = 1}};
  transport::Acceptor* acceptor_ = nullptr;
  std::optional<Server> server_;
  std::shared_ptr<std::atomic<std::int64_t>> connections_ =
      std::make_shared<std::atomic<std::int64_t>>(0);
  std::optional<grpc::Port> port_;
};

}  // namespace micro::fuzz
