#include "natsd/wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "natsd/engine.h"
#include "natsd/linger.h"
#include "natsd/socket_address.h"

namespace micro::natsd {
namespace {

// What is held below this is copied ahead of the next bytes; above, the next bytes go behind it.
constexpr std::size_t kCopied = SlabPool::kSmall;
constexpr std::size_t kVectors = 256;
constexpr char kHandshake = 0x16;  // the first byte of a TLS record that opens one (RFC 8446, 5.1)
constexpr std::string_view kClosed = "Client Closed";
constexpr std::string_view kBroken = "Read Error";

void SetNoDelay(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

Wire::Wire(Engine& engine, int descriptor, Owner& owner)
    : engine_(engine), descriptor_(descriptor), owner_(owner), deadline_([this] {
        Lose(shaking_ ? "TLS Handshake Failure" : "Slow Consumer (Write Deadline)");
      }) {
  SetNoDelay(descriptor);
  const SocketAddress peer = SocketAddress::OfPeer(descriptor);
  ip_ = peer.Ip();
  port_ = peer.Port();
}

Wire::~Wire() { Close(false); }

void Wire::Start() { Watch(); }

// Watches for what is wanted now.
void Wire::Watch() {
  if (descriptor_ < 0 || lost_) return;
  const std::uint32_t read = paused_ ? 0U : static_cast<std::uint32_t>(EPOLLIN);
  const std::uint32_t events = read | (blocked_ ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (watched_ && events == events_) return;
  if (watched_) {
    engine_.loop().Change(descriptor_, events, *this);
  } else {
    engine_.loop().Add(descriptor_, events, *this);
  }
  watched_ = true;
  events_ = events;
}

void Wire::StartTls(std::unique_ptr<TlsEnd> tls, Duration timeout) {
  tls_ = std::move(tls);
  shaking_ = true;
  engine_.loop().Arm(deadline_, timeout);
  Watch();
  Shake();
}

void Wire::Sniff(std::function<std::unique_ptr<TlsEnd>()> make, Duration timeout,
                 std::function<void()> plain) {
  sniff_ = std::move(make);
  plain_ = std::move(plain);
  tls_timeout_ = timeout;
  engine_.loop().Arm(deadline_, timeout);
  shaking_ = true;
  Watch();
}

void Wire::SniffNow() {
  char first = 0;
  const ssize_t got = ::recv(descriptor_, &first, 1, MSG_PEEK);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return Lose(kClosed);
  deadline_.Cancel();
  shaking_ = false;
  const auto make = std::exchange(sniff_, nullptr);
  const auto plain = std::exchange(plain_, nullptr);
  if (first == kHandshake) return StartTls(make(), tls_timeout_);
  plain();
}

void Wire::Shake() {
  switch (tls_->Shake()) {
    case TlsEnd::Step::kDone:
      shaking_ = false;
      blocked_ = false;
      deadline_.Cancel();
      Watch();
      owner_.OnSecure();
      if (!lost_ && !paused_) ReadSome();  // what came along with the handshake
      return;
    case TlsEnd::Step::kRead:
      blocked_ = false;
      return Watch();
    case TlsEnd::Step::kWrite:
      blocked_ = true;
      return Watch();
    case TlsEnd::Step::kFailed:
      engine_.Log(LogLevel::kDebug, "TLS handshake with " + ip_ + " failed: " + tls_->why());
      return Lose("TLS Handshake Failure");
  }
}

void Wire::OnEvents(std::uint32_t events) {
  if (lost_ || descriptor_ < 0) return;
  if (sniff_) return SniffNow();
  if (shaking_) return Shake();
  if ((events & EPOLLOUT) != 0 || (blocked_ && (events & (EPOLLERR | EPOLLHUP)) != 0)) {
    blocked_ = false;
    owner_.OnRoom();
    if (lost_ || descriptor_ < 0) return;
    Watch();
  }
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
  if (!paused_) return ReadSome();
  // Nobody reads now: an error would be told of again and again.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) Lose(kClosed);
}

void Wire::OnReadAgain() {
  if (!paused_ && !lost_ && !shaking_ && descriptor_ >= 0) ReadSome();
}

void Wire::ReadSome() {
  const std::size_t room = held_.roomy ? held_.need - held_.size() : 0;
  ReadBehind(room);
}

// Reads into the room behind what is held, and beyond that into the loop's own slab.
void Wire::ReadBehind(std::size_t room) {
  SlabRef input = engine_.InputSlab();
  char* behind = room > 0 ? held_.slab->data() + held_.end : nullptr;
  std::size_t copied = 0;
  if (room == 0 && !held_.empty()) {
    copied = held_.size();
    std::memcpy(input->data(), held_.bytes().data(), copied);
  }
  char* begin = input->data() + copied;
  const std::size_t size = input->capacity() - copied;
  const ssize_t got = Receive(behind, room, begin, size);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return Lose(got == 0 ? kClosed : kBroken);
  const auto count = static_cast<std::size_t>(got);
  if (tls_ != nullptr && count == room + size) engine_.ReadAgain(*this);
  if (room > 0) {
    held_.end += std::min(count, room);
    if (count < room) return;
    Offer();
    if (count == room || lost_) return;
    return Merge(input, count - room);
  }
  held_ = {.slab = std::move(input), .begin = 0, .end = copied + count, .need = 0, .roomy = false};
  Offer();
}

ssize_t Wire::Receive(char* first, std::size_t first_size, char* second, std::size_t second_size) {
  if (tls_ != nullptr) {
    if (first_size == 0) return tls_->Read(second, second_size);
    const ssize_t got = tls_->Read(first, first_size);
    if (got < static_cast<ssize_t>(first_size)) return got;
    const ssize_t more = tls_->Read(second, second_size);
    return more > 0 ? got + more : got;
  }
  if (first_size == 0) return ::recv(descriptor_, second, second_size, 0);
  std::array<iovec, 2> parts{
      {{.iov_base = first, .iov_len = first_size}, {.iov_base = second, .iov_len = second_size}}};
  return ::readv(descriptor_, parts.data(), parts.size());
}

// Puts the bytes that came into `slab` behind what is still held, and offers both.
void Wire::Merge(const SlabRef& slab, std::size_t size) {
  if (held_.empty()) {
    held_ = {.slab = slab, .begin = 0, .end = size, .need = 0, .roomy = false};
  } else {
    const std::size_t before = held_.size();
    SlabRef both(Slab::New(before + size));
    std::memcpy(both->data(), held_.bytes().data(), before);
    std::memcpy(both->data() + before, slab->data(), size);
    held_ = {.slab = std::move(both), .begin = 0, .end = before + size, .need = 0, .roomy = false};
  }
  Offer();
}

void Wire::Offer() {
  if (held_.empty() || paused_) return;
  const Taken taken = owner_.OnInput(held_.slab, held_.bytes());
  if (descriptor_ < 0 || lost_) return;
  held_.begin += taken.used;
  held_.roomy = false;
  if (held_.empty()) {
    held_ = {};
  } else if (!paused_) {
    Keep(std::max(taken.need, held_.size() + 1));
  }
}

// Moves what is left out of the loop's slab, with as much room as it has earned: memory follows
// what has come, not what was announced.
void Wire::Keep(std::size_t need) {
  const std::size_t size = held_.size();
  const bool small = size < kCopied;
  const std::size_t capacity = small ? size : std::min(need, std::max(2 * size, 4 * kCopied));
  if (!small && held_.slab->references() == 1 && held_.slab->capacity() - held_.begin >= capacity &&
      held_.slab.get() != engine_.input_slab()) {
    held_.need = capacity;
    held_.roomy = true;
    return;
  }
  SlabRef own(Slab::New(capacity));
  std::memcpy(own->data(), held_.bytes().data(), size);
  held_ = {.slab = std::move(own), .begin = 0, .end = size, .need = capacity, .roomy = !small};
}

bool Wire::Write(OutQueue& out) {
  while (!out.empty() && !blocked_) {
    bool whole = false;
    const ssize_t sent = Send(out, whole);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      Lose("Write Error");
      return false;
    }
    if (sent > 0) out.Consume(static_cast<std::size_t>(sent));
    if (sent > 0 && whole) continue;
    blocked_ = true;
  }
  if (blocked_) {
    Watch();
    engine_.loop().Arm(deadline_, engine_.options().write_deadline);
    if (tls_ == nullptr) out.Settle();
  } else if (deadline_.armed() && !shaking_) {
    deadline_.Cancel();
  }
  return true;
}

// `whole`: whether everything that was offered was taken.
ssize_t Wire::Send(const OutQueue& out, bool& whole) {
  std::array<iovec, kVectors> parts;
  const std::size_t count = out.Gather(std::span(parts).first(tls_ == nullptr ? kVectors : 1));
  std::size_t offered = 0;
  for (std::size_t i = 0; i < count; ++i) offered += parts[i].iov_len;
  ssize_t sent = 0;
  if (tls_ != nullptr) {
    sent = tls_->Write({static_cast<const char*>(parts[0].iov_base), parts[0].iov_len});
  } else if (count == 1) {
    sent = ::send(descriptor_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  } else {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
  }
  whole = sent == static_cast<ssize_t>(offered);
  return sent;
}

void Wire::Pause() {
  paused_ = true;
  Watch();
}

void Wire::Resume() {
  if (!paused_) return;
  paused_ = false;
  Watch();
  Offer();
  if (tls_ != nullptr && !paused_) engine_.ReadAgain(*this);
}

void Wire::Lose(std::string_view reason) {
  if (lost_) return;
  lost_ = true;
  deadline_.Cancel();
  if (watched_) engine_.loop().Remove(descriptor_);
  watched_ = false;
  owner_.OnLost(reason);
}

void Wire::Close(bool linger) {
  if (descriptor_ < 0) return;
  deadline_.Cancel();
  if (watched_) engine_.loop().Remove(descriptor_);
  engine_.ForgetRead(*this);
  watched_ = false;
  if (tls_ != nullptr && !lost_) tls_->Goodbye();
  const int descriptor = std::exchange(descriptor_, -1);
  held_ = {};
  if (linger && !lost_) return engine_.Linger(descriptor);
  ::close(descriptor);
}

}  // namespace micro::natsd
