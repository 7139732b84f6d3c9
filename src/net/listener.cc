#include "net/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace micro::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

// How long accepting rests when the process is out of file descriptors or memory.
constexpr std::chrono::milliseconds kAcceptRest{100};
// Between two log lines about connections that were turned away.
constexpr std::chrono::seconds kLogRest{1};
// A unix socket is for its owner and its group.
constexpr mode_t kSocketMode = 0660;

Failure CannotListen(const std::string& address, const std::string& why) {
  return Fails(Error(Code::kFailedPrecondition, "cannot listen on " + address + ": " + why)
                   .set_phase(Phase::kConfigure));
}

Result<std::vector<tcp::endpoint>> EndpointsOf(const std::string& text, const HostPort& at) {
  if (at.host.empty()) {
    return std::vector{tcp::endpoint(tcp::v6(), at.port), tcp::endpoint(tcp::v4(), at.port)};
  }
  asio::io_context io;
  ErrorCode error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(at.host, std::to_string(at.port), tcp::resolver::passive, error);
  if (error) return CannotListen(text, error.message());
  return std::vector<tcp::endpoint>(found.begin(), found.end());
}

// Makes room for a socket's file: what a listener that has died left behind goes.
Status RemoveStale(const std::string& text, const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return Ok();
  if (!S_ISSOCK(found.st_mode)) return CannotListen(text, "there is a file that is no socket");
  asio::io_context io;
  Local::socket probe(io);
  ErrorCode error;
  probe.connect(Local::endpoint(path), error);
  if (error != asio::error::connection_refused) {
    return CannotListen(text, error ? error.message() : "Address already in use");
  }
  ::unlink(path.c_str());
  return Ok();
}

}  // namespace

Listener::Listener(Runtime& runtime, std::size_t max_connections, Accepted accepted)
    : runtime_(runtime),
      max_connections_(max_connections),
      accepted_(std::move(accepted)),
      acceptor_(runtime::Loop::Of(runtime.loop(0)).io()),
      open_(std::make_shared<std::atomic<std::size_t>>(0)) {}

Listener::~Listener() { RemoveFile(); }

Result<std::shared_ptr<Listener>> Listener::Listen(Runtime& runtime, const std::string& address,
                                                   std::size_t max_connections, Accepted accepted) {
  const auto target = ParseTarget(address);
  if (!target) return CannotListen(address, target.error().detail());
  if (target->tls) {
    return CannotListen(address, "whether there is TLS is said by --tls_cert and --tls_key");
  }
  std::shared_ptr<Listener> listener(new Listener(runtime, max_connections, std::move(accepted)));
  if (Status opened = listener->Open(address, *target); !opened) return Failure(opened.error());
  listener->Accept();
  return listener;
}

Status Listener::Open(const std::string& text, const Target& target) {
  return target.is_unix() ? OpenUnix(text, target.path) : OpenTcp(text, target.tcp);
}

Status Listener::OpenTcp(const std::string& text, const HostPort& at) {
  const auto endpoints = EndpointsOf(text, at);
  if (!endpoints) return Failure(endpoints.error());
  Status bound = CannotListen(text, "the name has no address");
  for (const tcp::endpoint& endpoint : *endpoints) {
    bound = Bind(text, endpoint);
    if (bound) break;
  }
  if (!bound) return bound;
  address_ = AddressOf(acceptor_.local_endpoint());
  return Ok();
}

Status Listener::OpenUnix(const std::string& text, const std::string& path) {
  if (Status room = RemoveStale(text, path); !room) return room;
  if (Status bound = Bind(text, Local::endpoint(path)); !bound) return bound;
  struct stat made{};
  if (::stat(path.c_str(), &made) == 0) inode_ = made.st_ino;
  path_ = path;
  address_ = text;
  return Ok();
}

Status Listener::Bind(const std::string& text, const Socket::endpoint_type& endpoint) {
  ErrorCode error;
  ErrorCode ignored;
  acceptor_.close(ignored);
  acceptor_.open(endpoint.protocol(), error);
  if (error) return CannotListen(text, error.message());
  const int family = endpoint.protocol().family();
  if (family == AF_UNIX) ::fchmod(acceptor_.native_handle(), kSocketMode);
  if (family != AF_UNIX) acceptor_.set_option(tcp::acceptor::reuse_address(true), ignored);
  if (family == AF_INET6) acceptor_.set_option(asio::ip::v6_only(false), ignored);
  acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return CannotListen(text, error.message());
  return Ok();
}

// Unless another listener has put its own file there meanwhile.
void Listener::RemoveFile() {
  struct stat found{};
  const std::string path = std::exchange(path_, "");
  if (path.empty() || ::lstat(path.c_str(), &found) != 0) return;
  if (found.st_ino == inode_) ::unlink(path.c_str());
}

void Listener::Accept() {
  runtime::Loop& loop = runtime::Loop::Of(runtime_.loop(turn_++ % runtime_.loops()));
  acceptor_.async_accept(loop.io(),
                         [self = shared_from_this(), &loop](const ErrorCode& error, Socket socket) {
                           self->OnAccept(error, std::move(socket), loop);
                         });
}

void Listener::OnAccept(const ErrorCode& error, Socket socket, runtime::Loop& loop) {
  if (!acceptor_.is_open() || error == asio::error::operation_aborted) return;
  if (!error) {
    Welcome(std::move(socket), loop);
    return Accept();
  }
  runtime_.logger().Write(LogLevel::kWarn, "cannot accept a connection: " + error.message());
  runtime_.loop(0).PostAfter(kAcceptRest, [self = shared_from_this()] {
    if (self->acceptor_.is_open()) self->Accept();
  });
}

void Listener::Welcome(Socket socket, runtime::Loop& loop) {
  if (open_->load(std::memory_order_relaxed) >= max_connections_) return TurnAway();
  open_->fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<void> place(
      nullptr, [open = open_](std::nullptr_t) { open->fetch_sub(1, std::memory_order_relaxed); });
  loop.Post([self = shared_from_this(), &loop, socket = std::move(socket),
             place = std::move(place)]() mutable {
    auto link = std::make_unique<Link>(std::move(socket));
    link->Hold(std::move(place));
    self->accepted_(loop, std::move(link));
  });
}

// The socket is closed as it goes out of sight.
void Listener::TurnAway() {
  ++turned_away_;
  const TimePoint now = std::chrono::steady_clock::now();
  if (now - logged_ < kLogRest) return;
  logged_ = now;
  runtime_.logger().Write(LogLevel::kWarn, "turned away " +
                                               std::to_string(std::exchange(turned_away_, 0)) +
                                               " connections: " + std::to_string(max_connections_) +
                                               " are open (--max_connections)");
}

void Listener::Close() {
  runtime_.loop(0).Post([self = shared_from_this()] {
    ErrorCode ignored;
    self->acceptor_.close(ignored);
    self->RemoveFile();
  });
}

}  // namespace micro::net
