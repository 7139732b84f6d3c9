#include "natsd/linger.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "natsd/engine.h"

namespace micro::natsd {
namespace {

constexpr std::chrono::seconds kLongest{1};
constexpr std::size_t kMostIgnored = std::size_t{4} << 20U;

}  // namespace

Linger::Linger(Engine& engine, int descriptor)
    : engine_(engine), descriptor_(descriptor), end_([this] { End(); }) {
  ::shutdown(descriptor_, SHUT_WR);
  engine_.loop().Add(descriptor_, EPOLLIN, *this);
  engine_.loop().Arm(end_, kLongest);
}

Linger::~Linger() {
  engine_.loop().Remove(descriptor_);
  ::close(descriptor_);
}

void Linger::OnEvents(std::uint32_t /*events*/) {
  std::array<char, 16384> ignored;
  const ssize_t got = ::recv(descriptor_, ignored.data(), ignored.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got > 0) ignored_ += static_cast<std::size_t>(got);
  if (got <= 0 || ignored_ > kMostIgnored) End();
}

void Linger::End() {
  end_.Cancel();
  engine_.EndLinger(*this);
}

}  // namespace micro::natsd
