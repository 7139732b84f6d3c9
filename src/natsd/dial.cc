#include "natsd/dial.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/dice.h"
#include "natsd/cluster.h"
#include "natsd/engine.h"

namespace micro::natsd {
namespace {

constexpr std::chrono::seconds kTimeout{1};
constexpr std::chrono::seconds kRest{1};
// Of failures in a row, every so manieth is logged.
constexpr int kLogged = 60;

}  // namespace

Dial::Dial(Engine& engine, Cluster& cluster, RouteOrigin origin, RouteUrl url, int retries)
    : engine_(engine),
      cluster_(cluster),
      origin_(origin),
      url_(std::move(url)),
      retries_(retries),
      start_([this] { Resolve(); }),
      timeout_([this] {
        Abandon();
        TryNext();
      }) {}

Dial::~Dial() { Abandon(); }

void Dial::Start(Duration delay) { engine_.loop().Arm(start_, delay); }

void Dial::Abandon() {
  timeout_.Cancel();
  if (descriptor_ < 0) return;
  engine_.loop().Remove(descriptor_);
  ::close(std::exchange(descriptor_, -1));
}

// Looking a name up may take long, and so is done elsewhere.
void Dial::Resolve() {
  if (auto literal = SocketAddress::Literal(url_.host, url_.port)) {
    return OnResolved(std::vector{*literal});
  }
  auto work = [this, &engine = engine_, alive = std::weak_ptr(alive_), url = url_] {
    auto found = SocketAddress::Resolve(url.host, url.port, false);
    engine.loop().Post([this, alive, found = std::move(found)]() mutable {
      if (!alive.expired()) OnResolved(std::move(found));
    });
  };
  if (!engine_.resolver().Do(std::move(work))) Again("too many names are being looked up");
}

void Dial::OnResolved(Result<std::vector<SocketAddress>> addresses) {
  if (!addresses) return Again(addresses.error().detail());
  addresses_ = *std::move(addresses);
  next_ = 0;
  TryNext();
}

void Dial::TryNext() {
  if (next_ >= addresses_.size()) return Again("nobody answers there");
  const SocketAddress& address = addresses_[next_++];
  descriptor_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return Again(std::strerror(errno));
  if (::connect(descriptor_, address.data(), address.size()) != 0 && errno != EINPROGRESS) {
    ::close(std::exchange(descriptor_, -1));
    return TryNext();
  }
  engine_.loop().Add(descriptor_, EPOLLOUT, *this);
  engine_.loop().Arm(timeout_, kTimeout);
}

void Dial::OnEvents(std::uint32_t /*events*/) {
  if (descriptor_ < 0) return;
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    Abandon();
    return TryNext();
  }
  timeout_.Cancel();
  engine_.loop().Remove(descriptor_);
  cluster_.OnDialled(*this, std::exchange(descriptor_, -1), origin_);
}

void Dial::Again(const std::string& why) {
  if (failures_++ % kLogged == 0) {
    engine_.Log(LogLevel::kWarn,
                "no route to " + url_.host + ":" + std::to_string(url_.port) + ": " + why);
  }
  if (retries_ == 0) return cluster_.EndDial(*this);
  if (retries_ > 0) --retries_;
  Start(kRest);
}

}  // namespace micro::natsd
