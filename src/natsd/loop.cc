#include "natsd/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace micro::natsd {
namespace {

// Bounds a turn, and so how long what was delivered waits to be written.
constexpr std::size_t kEventsOfTurn = 128;

}  // namespace

Loop::~Loop() {
  if (bell_ >= 0) ::close(bell_);
  if (epoll_ >= 0) ::close(epoll_);
}

Status Loop::Open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  bell_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0 || bell_ < 0) {
    return ResourceExhausted(std::string("no event loop: ") + std::strerror(errno));
  }
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &event);
  return Ok();
}

void Loop::Add(int descriptor, std::uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
}

void Loop::Change(int descriptor, std::uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void Loop::Remove(int descriptor) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

void Loop::Post(Callback callback) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (refusing_) return;
    first = posted_.empty();
    posted_.push_back(std::move(callback));
  }
  if (first) ::eventfd_write(bell_, 1);
}

void Loop::Refuse() {
  std::vector<Callback> refused;
  const std::lock_guard lock(mutex_);
  refusing_ = true;
  refused.swap(posted_);
}

void Loop::Stop() {
  Post([this] { running_ = false; });
}

// How long to sleep, in milliseconds, rounded up: a timer is never early.
int Loop::Wait(bool at_once) const {
  if (at_once) return 0;
  if (timers_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.earliest() -
                                                                 std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Loop::RunPosted() {
  {
    const std::lock_guard lock(mutex_);
    at_hand_.swap(posted_);
  }
  for (Callback& callback : at_hand_) callback();
  at_hand_.clear();
}

void Loop::FireDue() {
  while (runtime::Timer* timer = timers_.TakeDue(now_)) timer->Fire();
}

void Loop::Run(const std::function<bool()>& after_turn) {
  std::array<epoll_event, kEventsOfTurn> events{};
  bool at_once = false;
  while (running_) {
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), Wait(at_once));
    now_ = std::chrono::steady_clock::now();
    bool rung = false;
    for (int i = 0; i < count; ++i) {
      auto* watch = static_cast<Watch*>(events[i].data.ptr);
      rung = rung || watch == nullptr;
      if (watch != nullptr) watch->OnEvents(events[i].events);
    }
    if (rung) RunPosted();
    FireDue();
    at_once = after_turn();
  }
}

}  // namespace micro::natsd
