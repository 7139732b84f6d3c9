#include "net/dial.h"

#include <algorithm>
#include <coroutine>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "net/target.h"
#include "net/tls.h"
#include "runtime/loop.h"

namespace micro::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Endpoint = Socket::endpoint_type;
using Linked = Result<std::unique_ptr<Link>>;

// RFC 8305's "Connection Attempt Delay".
constexpr std::chrono::milliseconds kStagger{250};

runtime::Loop& ThisLoop() { return runtime::Loop::Of(*EventLoop::Current()); }

// A name being looked up, until a point in time. It outlives its awaiter until Asio's handler has
// run.
class Lookup final : public runtime::Timer, public std::enable_shared_from_this<Lookup> {
 public:
  Lookup() : loop_(ThisLoop()), resolver_(loop_.io()) {}

  void Start(const HostPort& to, TimePoint until, std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    loop_.Add(*this, until);
    resolver_.async_resolve(to.host, std::to_string(to.port),
                            [self = shared_from_this()](const ErrorCode& error, const auto& found) {
                              for (const auto& entry : found)
                                self->found_.emplace_back(entry.endpoint());
                              self->Done(error);
                            });
  }
  void Fire() override { Done(asio::error::timed_out); }

  ErrorCode error_;
  std::vector<Endpoint> found_;

 private:
  void Done(const ErrorCode& error) {
    const auto waiting = std::exchange(waiting_, nullptr);
    if (!waiting) return;
    error_ = error;
    Cancel();
    resolver_.cancel();
    waiting.resume();
  }

  runtime::Loop& loop_;
  tcp::resolver resolver_;
  std::coroutine_handle<> waiting_;
};

struct LookupAwaiter {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { lookup.Start(to, until, waiting); }
  void await_resume() const {}

  Lookup& lookup;
  const HostPort& to;
  TimePoint until;
};

// Attempts to connect that overlap; the first to succeed wins.
class Race final : public runtime::Timer, public std::enable_shared_from_this<Race> {
 public:
  explicit Race(std::vector<Endpoint> endpoints)
      : loop_(ThisLoop()), endpoints_(std::move(endpoints)) {}

  void Start(TimePoint until, std::coroutine_handle<> waiting) {
    until_ = until;
    waiting_ = waiting;
    Try();
  }

  // The one before has had its head start.
  void Fire() override {
    const auto self = shared_from_this();
    if (std::chrono::steady_clock::now() < until_) return Try();
    Done(asio::error::timed_out, nullptr);
  }

  ErrorCode error_;
  std::unique_ptr<Socket> winner_;

 private:
  void Try() {
    if (sockets_.size() == endpoints_.size()) return loop_.Add(*this, until_);
    const std::size_t index = sockets_.size();
    loop_.Add(*this, std::min(until_, std::chrono::steady_clock::now() + kStagger));
    sockets_.push_back(std::make_unique<Socket>(loop_.io()));
    sockets_[index]->async_connect(endpoints_[index],
                                   [self = shared_from_this(), index](const ErrorCode& error) {
                                     self->OnConnect(index, error);
                                   });
  }

  void OnConnect(std::size_t index, const ErrorCode& error) {
    if (!waiting_) return;
    if (!error) return Done({}, std::move(sockets_[index]));
    ++failed_;
    if (failed_ == endpoints_.size()) return Done(error, nullptr);
    if (failed_ == sockets_.size()) Try();
  }

  void Done(const ErrorCode& error, std::unique_ptr<Socket> winner) {
    Cancel();
    error_ = error;
    winner_ = std::move(winner);
    sockets_.clear();  // closes the others
    std::exchange(waiting_, nullptr).resume();
  }

  runtime::Loop& loop_;
  const std::vector<Endpoint> endpoints_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::size_t failed_ = 0;
  TimePoint until_;
  std::coroutine_handle<> waiting_;
};

struct RaceAwaiter {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { race.Start(until, waiting); }
  void await_resume() const {}

  Race& race;
  TimePoint until;
};

// TLS's handshake as something to await.
struct SecureAwaiter {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    Secure(ThisLoop(), std::move(plain), tls, host, until - std::chrono::steady_clock::now(),
           [this, waiting](Linked link) {
             secured = std::move(link);
             waiting.resume();
           });
  }
  Linked await_resume() { return std::move(secured); }

  std::unique_ptr<Link> plain;
  TlsContext& tls;
  const std::string& host;
  TimePoint until;
  Linked secured = nullptr;
};

Task<Result<std::vector<Endpoint>>> EndpointsOf(const Target& target, TimePoint until) {
  if (target.is_unix()) {
    co_return std::vector<Endpoint>{asio::local::stream_protocol::endpoint(target.path)};
  }
  ErrorCode error;
  const auto literal = asio::ip::make_address(target.tcp.host, error);
  if (!error) co_return std::vector<Endpoint>{tcp::endpoint(literal, target.tcp.port)};
  const auto lookup = std::make_shared<Lookup>();
  LookupAwaiter awaiter{*lookup, target.tcp, until};
  co_await awaiter;
  if (lookup->error_) co_return Unavailable(lookup->error_.message());
  co_return Interleave(std::move(lookup->found_));
}

Task<Linked> Connect(const Target& target, TimePoint until, TlsContext* tls) {
  auto endpoints = co_await EndpointsOf(target, until);
  if (!endpoints) co_return Failure(std::move(endpoints.error()));
  Linked link = co_await ConnectToFirst(*std::move(endpoints), until);
  if (!link || tls == nullptr) co_return link;
  const std::string host = target.is_unix() ? "localhost" : target.tcp.host;
  SecureAwaiter awaiter{std::move(*link), *tls, host, until};
  Linked secured = co_await awaiter;
  if (!secured && secured.error().detail().empty()) {
    co_return Unavailable(
        "the other side closed when TLS was to begin; does it serve without TLS?");
  }
  co_return secured;
}

}  // namespace

std::vector<Endpoint> Interleave(std::vector<Endpoint> endpoints) {
  if (endpoints.empty()) return endpoints;
  const int first = endpoints.front().protocol().family();
  const auto others = std::stable_partition(
      endpoints.begin(), endpoints.end(),
      [first](const Endpoint& endpoint) { return endpoint.protocol().family() == first; });
  std::vector<Endpoint> mixed;
  auto one = endpoints.begin();
  auto other = others;
  while (one != others || other != endpoints.end()) {
    if (one != others) mixed.push_back(*one++);
    if (other != endpoints.end()) mixed.push_back(*other++);
  }
  return mixed;
}

Task<Linked> ConnectToFirst(std::vector<Endpoint> endpoints, TimePoint until) {
  if (endpoints.empty()) co_return Unavailable("the name has no address");
  const auto race = std::make_shared<Race>(std::move(endpoints));
  RaceAwaiter awaiter{*race, until};
  co_await awaiter;
  if (race->error_) co_return Unavailable(race->error_.message());
  co_return std::make_unique<Link>(std::move(*race->winner_));
}

Task<Linked> Dial(std::string address, Duration timeout, std::shared_ptr<TlsContext> tls) {
  const auto target = ParseTarget(address);
  const TimePoint until = runtime::Later(std::chrono::steady_clock::now(), timeout);
  Linked link = Unavailable("");
  if (target) {
    link = co_await Connect(*target, until, tls.get());
  } else {
    link = Unavailable(target.error().detail());
  }
  if (link) co_return link;
  co_return Fails(
      Error(Code::kUnavailable, "cannot connect to " + address + ": " + link.error().detail())
          .set_phase(Phase::kConnect));
}

}  // namespace micro::net
