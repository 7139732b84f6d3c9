#include "net/tcp.h"

#include <coroutine>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include "base/address.h"

namespace micro::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// How long accepting rests when the process is out of file descriptors or memory.
constexpr std::chrono::milliseconds kAcceptRest{100};

// One attempt to connect. It outlives its awaiter until Asio's handlers have run.
class Dialer final : public runtime::Timer, public std::enable_shared_from_this<Dialer> {
 public:
  explicit Dialer(runtime::Loop& loop) : loop_(loop), resolver_(loop.io()), socket_(loop.io()) {}

  void Start(const HostPort& to, Duration timeout, std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    loop_.Add(*this, std::chrono::steady_clock::now() + timeout);
    ErrorCode error;
    const auto literal = asio::ip::make_address(to.host, error);
    if (!error) return ConnectTo(std::vector{tcp::endpoint(literal, to.port)});
    resolver_.async_resolve(
        to.host, std::to_string(to.port),
        [self = shared_from_this()](const ErrorCode& failed, const auto& found) {
          if (failed) return self->Done(failed);
          self->ConnectTo(std::vector<tcp::endpoint>(found.begin(), found.end()));
        });
  }

  void Fire() override { Done(asio::error::timed_out); }

  ErrorCode error_;
  std::unique_ptr<Link> MakeLink() { return std::make_unique<Link>(std::move(socket_)); }

 private:
  void ConnectTo(std::vector<tcp::endpoint> endpoints) {
    if (!waiting_) return;
    endpoints_ = std::move(endpoints);
    asio::async_connect(socket_, endpoints_,
                        [self = shared_from_this()](const ErrorCode& error, const tcp::endpoint&) {
                          self->Done(error);
                        });
  }

  void Done(const ErrorCode& error) {
    const auto waiting = std::exchange(waiting_, nullptr);
    if (!waiting) return;
    error_ = error;
    Cancel();
    if (error) {
      ErrorCode ignored;
      resolver_.cancel();
      socket_.close(ignored);
    }
    waiting.resume();
  }

  runtime::Loop& loop_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  std::vector<tcp::endpoint> endpoints_;
  std::coroutine_handle<> waiting_;
};

struct DialAwaiter {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { dialer.Start(to, timeout, waiting); }
  void await_resume() const {}

  Dialer& dialer;
  const HostPort& to;
  Duration timeout;
};

Failure Unconnected(const std::string& address, const std::string& why) {
  return Fails(Error(Code::kUnavailable, "cannot connect to " + address + ": " + why)
                   .set_phase(Phase::kConnect));
}

Failure CannotListen(const std::string& address, const std::string& why) {
  return Fails(Error(Code::kFailedPrecondition, "cannot listen on " + address + ": " + why)
                   .set_phase(Phase::kConfigure));
}

Result<std::vector<tcp::endpoint>> EndpointsOf(const HostPort& address) {
  if (address.host.empty()) {
    return std::vector{tcp::endpoint(tcp::v6(), address.port),
                       tcp::endpoint(tcp::v4(), address.port)};
  }
  asio::io_context io;
  ErrorCode error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
  if (error) return CannotListen(address.host, error.message());
  return std::vector<tcp::endpoint>(found.begin(), found.end());
}

}  // namespace

Task<Result<std::unique_ptr<Link>>> Connect(std::string address, Duration timeout) {
  const auto to = ParseHostPort(address);
  if (!to) co_return Unconnected(address, to.error().detail());
  const auto dialer = std::make_shared<Dialer>(runtime::Loop::Of(*EventLoop::Current()));
  DialAwaiter awaiter{*dialer, *to, timeout};
  co_await awaiter;
  if (dialer->error_) co_return Unconnected(address, dialer->error_.message());
  co_return dialer->MakeLink();
}

TcpListener::TcpListener(Runtime& runtime, Accepted accepted)
    : runtime_(runtime),
      accepted_(std::move(accepted)),
      acceptor_(runtime::Loop::Of(runtime.loop(0)).io()) {}

Result<std::shared_ptr<TcpListener>> TcpListener::Listen(Runtime& runtime,
                                                         const std::string& address,
                                                         Accepted accepted) {
  const auto parsed = ParseHostPort(address);
  if (!parsed) return CannotListen(address, parsed.error().detail());
  const auto endpoints = EndpointsOf(*parsed);
  if (!endpoints) return Failure(endpoints.error());
  std::shared_ptr<TcpListener> listener(new TcpListener(runtime, std::move(accepted)));
  Status bound = CannotListen(address, "the name has no address");
  for (const tcp::endpoint& endpoint : *endpoints) {
    bound = listener->Bind(address, endpoint);
    if (bound) break;
  }
  if (!bound) return Failure(bound.error());
  listener->Accept();
  return listener;
}

Status TcpListener::Bind(const std::string& text, const tcp::endpoint& endpoint) {
  ErrorCode error;
  ErrorCode ignored;
  acceptor_.close(ignored);
  acceptor_.open(endpoint.protocol(), error);
  if (error) return CannotListen(text, error.message());
  acceptor_.set_option(tcp::acceptor::reuse_address(true), ignored);
  if (endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false), ignored);
  acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return CannotListen(text, error.message());
  const tcp::endpoint local = acceptor_.local_endpoint(error);
  address_ = JoinHostPort(local.address().to_string(), local.port());
  return Ok();
}

void TcpListener::Accept() {
  runtime::Loop& loop = runtime::Loop::Of(runtime_.loop(turn_++ % runtime_.loops()));
  acceptor_.async_accept(
      loop.io(), [self = shared_from_this(), &loop](const ErrorCode& error, tcp::socket socket) {
        self->OnAccept(error, std::move(socket), loop);
      });
}

void TcpListener::OnAccept(const ErrorCode& error, Socket socket, runtime::Loop& loop) {
  if (!acceptor_.is_open() || error == asio::error::operation_aborted) return;
  if (!error) {
    loop.Post([self = shared_from_this(), &loop, socket = std::move(socket)]() mutable {
      self->accepted_(loop, std::make_unique<Link>(std::move(socket)));
    });
    return Accept();
  }
  runtime_.logger().Write(LogLevel::kWarn, "cannot accept a connection: " + error.message());
  runtime_.loop(0).PostAfter(kAcceptRest, [self = shared_from_this()] {
    if (self->acceptor_.is_open()) self->Accept();
  });
}

void TcpListener::Close() {
  runtime_.loop(0).Post([self = shared_from_this()] {
    ErrorCode ignored;
    self->acceptor_.close(ignored);
  });
}

}  // namespace micro::net
