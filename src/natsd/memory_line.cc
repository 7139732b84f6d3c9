// The client's side: what it publishes and subscribes to.
#include "natsd/memory_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/overload.h"
#include "natsd/engine.h"
#include "natsd/memory_client.h"
#include "natsd/out_queue.h"
#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

Failure IsGone() { return Unavailable("the NATS server of this process has stopped"); }

// Digits of a number, without an allocation.
class Digits {
 public:
  explicit Digits(std::uint64_t number) {
    end_ = std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr;
  }
  std::string_view view() const { return {text_.data(), end_}; }

 private:
  std::array<char, 20> text_;
  const char* end_;
};

bool IsSubject(std::string_view subject) { return IsPattern(subject) && !HasWildcard(subject); }

bool IsWord(std::string_view text) {
  return text.find_first_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

MemoryLine::MemoryLine(Engine& engine, InProcessOptions options)
    : engine_(engine), options_(std::move(options)) {}

MemoryLine::~MemoryLine() = default;

void MemoryLine::Start() {
  thread_ = std::thread([this] { Deliver(); });
}

void MemoryLine::Stop() {
  {
    const std::lock_guard lock(arrived_mutex_);
    stopping_ = true;
    arrived_changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
  }
  engine_.loop().Post([self = shared_from_this()] {
    if (self->server_ != nullptr) self->server_->Close("Client Closed");
  });
}

Status MemoryLine::CheckPublish(std::string_view subject, std::string_view payload,
                                std::string_view reply, std::string_view headers) const {
  constexpr std::string_view kVersion = "NATS/1.0";
  const Options& options = engine_.options();
  if (!IsSubject(subject)) return InvalidArgument("this is no subject to publish to");
  if (!reply.empty() && !IsSubject(reply)) return InvalidArgument("this is no reply subject");
  if (subject.size() + reply.size() + 32 > options.max_control_line) {
    return InvalidArgument("the subject is too long");
  }
  if (!headers.empty() && (!headers.starts_with(kVersion) || !headers.ends_with("\r\n\r\n"))) {
    return InvalidArgument("headers begin with NATS/1.0 and end with a blank line");
  }
  if (headers.size() + payload.size() > options.max_payload) {
    return ResourceExhausted("the message is larger than max_payload, " +
                             std::to_string(options.max_payload) + " bytes");
  }
  return Ok();
}

Status MemoryLine::Publish(std::string_view subject, std::string_view payload,
                           std::string_view reply, std::string_view headers) {
  if (Status right = CheckPublish(subject, payload, reply, headers); !right) return right;
  const Digits total(headers.size() + payload.size());
  const std::string_view space = reply.empty() ? "" : " ";
  std::unique_lock lock(mutex_);
  if (sent_ - taken_ > options_.max_outgoing) {
    if (!options_.waits) return Fails(Overloaded("too many messages wait for the server"));
    ++waiters_;
    taken_changed_.wait(lock, [this] { return ended_ || sent_ - taken_ <= options_.max_outgoing; });
    --waiters_;
  }
  if (ended_) return IsGone();
  if (headers.empty()) {
    Put(lock, {"PUB ", subject, " ", reply, space, total.view(), "\r\n", payload, "\r\n"});
  } else {
    const Digits head(headers.size());
    Put(lock, {"HPUB ", subject, " ", reply, space, head.view(), " ", total.view(), "\r\n", headers,
               payload, "\r\n"});
  }
  return Ok();
}

// Adds one operation to what the server has to take, and wakes it if it has none; unlocks.
void MemoryLine::Put(std::unique_lock<std::mutex>& lock,
                     std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  if (!current_.slab || current_.slab->capacity() - current_.size < size) {
    if (current_.size > 0) full_.push_back(std::move(current_));
    current_ = {.slab = SlabRef(Slab::New(std::max(size, SlabPool::kLarge))), .size = 0};
  }
  char* at = current_.slab->data() + current_.size;
  for (const std::string_view part : parts) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  current_.size += size;
  sent_ += size;
  const bool wake = !std::exchange(posted_, true);
  lock.unlock();
  if (wake) engine_.loop().Post([self = shared_from_this()] { self->TellServer(); });
}

Status MemoryLine::WaitTaken(std::unique_lock<std::mutex>& lock) {
  if (!lock.owns_lock()) lock.lock();
  const std::uint64_t target = sent_;
  ++waiters_;
  taken_changed_.wait(lock, [&] { return ended_ || taken_ >= target; });
  --waiters_;
  return ended_ ? Status(IsGone()) : Ok();
}

Result<InProcessClient::Id> MemoryLine::Subscribe(std::string_view subject, std::string_view queue,
                                                  InProcessClient::Callback callback,
                                                  std::uint64_t max) {
  if (!IsPattern(subject)) return InvalidArgument("this is no subject to subscribe to");
  if (!IsWord(queue)) return InvalidArgument("this is no queue group");
  if (subject.size() + queue.size() + 32 > engine_.options().max_control_line) {
    return InvalidArgument("the subject is too long");
  }
  auto sub = std::make_shared<Sub>();
  sub->callback = std::move(callback);
  sub->max = max;
  std::unique_lock lock(mutex_);
  if (ended_) return IsGone();
  const InProcessClient::Id id = ++last_id_;
  subs_.emplace(id, std::move(sub));
  const Digits sid(id);
  if (max == 0) {
    Put(lock, {"SUB ", subject, " ", queue, " ", sid.view(), "\r\n"});
  } else {
    const Digits most(max);
    Put(lock, {"SUB ", subject, " ", queue, " ", sid.view(), "\r\nUNSUB ", sid.view(), " ",
               most.view(), "\r\n"});
  }
  if (Status taken = WaitTaken(lock); !taken) return Failure(taken.error());
  return id;
}

MemoryLine::SubPtr MemoryLine::Remove(InProcessClient::Id id) {
  const auto found = subs_.find(id);
  if (found == subs_.end()) return nullptr;
  SubPtr sub = std::move(found->second);
  subs_.erase(found);
  return sub;
}

void MemoryLine::Unsubscribe(InProcessClient::Id id) {
  std::unique_lock lock(mutex_);
  const SubPtr sub = Remove(id);
  if (sub == nullptr) return;
  if (ended_) {
    lock.unlock();
  } else {
    Put(lock, {"UNSUB ", Digits(id).view(), "\r\n"});
  }
  sub->closed.store(true);
  if (!OnDeliveryThread()) sub->running.wait(true);
}

// The PONG comes behind the last message.
void MemoryLine::Drain(InProcessClient::Id id) {
  std::unique_lock lock(mutex_);
  const auto found = subs_.find(id);
  if (found == subs_.end() || ended_) return;
  const std::uint64_t ping = ++pings_;
  found->second->ends_with = ping;
  Put(lock, {"UNSUB ", Digits(id).view(), "\r\nPING\r\n"});
  if (OnDeliveryThread()) return;
  lock.lock();
  ++waiters_;
  taken_changed_.wait(lock, [&] { return ended_ || pongs_ >= ping; });
  --waiters_;
}

Status MemoryLine::Flush() {
  std::unique_lock lock(mutex_);
  return WaitTaken(lock);
}

std::vector<MemoryLine::Batch> MemoryLine::Take() {
  const std::lock_guard lock(mutex_);
  posted_ = false;
  if (current_.size > 0) full_.push_back(std::exchange(current_, {}));
  return std::exchange(full_, {});
}

void MemoryLine::Taken(std::size_t size) {
  const std::lock_guard lock(mutex_);
  taken_ += size;
  if (waiters_ > 0) taken_changed_.notify_all();
}

void MemoryLine::TellServer() {
  if (server_ != nullptr) server_->TakeIn();
}

void MemoryLine::End() {
  server_ = nullptr;
  const std::lock_guard lock(mutex_);
  ended_ = true;
  taken_changed_.notify_all();
}

}  // namespace micro::natsd
