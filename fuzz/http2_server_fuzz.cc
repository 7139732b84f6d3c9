// Bytes from a stranger, through HTTP/2, gRPC and the server, as far as they get: the connection is
// closed in the end and nothing else happens.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <google/protobuf/wrappers.pb.h>

#include "micro/handler.h"
#include "micro/server.h"

#include "codec/json/json.h"
#include "codec/proto/proto.h"
#include "expect.h"
#include "net/http2/session.h"
#include "server/parts.h"
#include "transport/grpc/server_stream.h"

namespace micro {
namespace {

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

std::span<const Method> EchoHandler::methods() const {
  static const std::array<Method, 1> kMethods = {{{{.path = "/fuzz.Echo/Call",
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

class Victim final : public http2::Session::Owner {
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
  }

  void Serve(std::string_view bytes) {
    std::array<int, 2> ends{};
    Expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    internal::Parker closed;
    closed_ = &closed;
    runtime_.loop(0).Post([&] { Open(ends[0]); });
    while (!bytes.empty()) {
      const ssize_t sent = ::send(ends[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::shutdown(ends[1], SHUT_WR);
    closed.Wait();
    ::close(ends[1]);
  }

 private:
  void Open(int descriptor) {
    runtime::Loop& loop = runtime::Loop::Of(runtime_.loop(0));
    net::Socket socket(loop.io(), {AF_UNIX, 0}, descriptor);
    std::make_shared<http2::Session>(loop, std::make_unique<net::Link>(std::move(socket)),
                                     http2::Role::kServer, http2::Settings(), *this)
        ->Start();
  }

  http2::Stream* OnStream(http2::Session& session) override {
    return grpc::ServerStream::Make({.max_message = 1000}, *acceptor_, session);
  }
  void OnSessionClosed(http2::Session& /*session*/, std::string_view /*reason*/,
                       bool /*malformed*/) override {
    closed_->Signal();
  }

  Runtime runtime_{{.loops = 1, .workers = 1}};
  transport::Acceptor* acceptor_ = nullptr;
  std::optional<Server> server_;
  internal::Parker* closed_ = nullptr;
};

}  // namespace
}  // namespace micro

// An input that begins with a zero byte stands behind a good preface.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static micro::Victim* const victim = new micro::Victim;  // lives as long as the process
  std::string bytes(AsText(data, size));
  if (!bytes.empty() && bytes[0] == 0) {
    const std::string settings(9, '\0');
    bytes = NGHTTP2_CLIENT_MAGIC + settings.substr(0, 3) + '\x04' + settings.substr(4) +
            bytes.substr(1);
  }
  victim->Serve(bytes);
  return 0;
}
