#include "natsd/acceptor.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "natsd/engine.h"
#include "natsd/socket_address.h"

namespace micro::natsd {
namespace {

// Those who connect in one turn; the others wait their turn.
constexpr int kMostOfTurn = 64;
// When the process is out of descriptors or memory.
constexpr std::chrono::milliseconds kRest{100};

}  // namespace

Acceptor::Acceptor(Engine& engine, int descriptor, std::function<void(int)> accepted)
    : engine_(engine),
      descriptor_(descriptor),
      port_(SocketAddress::OfSelf(descriptor).Port()),
      accepted_(std::move(accepted)),
      rest_([this] { Start(); }) {}

Acceptor::~Acceptor() { Close(); }

void Acceptor::Start() {
  if (descriptor_ >= 0) engine_.loop().Add(descriptor_, EPOLLIN, *this);
}

void Acceptor::Close() {
  if (descriptor_ < 0) return;
  engine_.loop().Remove(descriptor_);
  ::close(std::exchange(descriptor_, -1));
  rest_.Cancel();
}

void Acceptor::OnEvents(std::uint32_t /*events*/) {
  for (int i = 0; i < kMostOfTurn && descriptor_ >= 0; ++i) {
    const int accepted = ::accept4(descriptor_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      accepted_(accepted);
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    engine_.Log(LogLevel::kWarn,
                std::string("cannot accept a connection: ") + std::strerror(errno));
    engine_.loop().Remove(descriptor_);
    return engine_.loop().Arm(rest_, kRest);
  }
}

}  // namespace micro::natsd
