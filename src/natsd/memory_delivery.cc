// The client's side: what reaches its callbacks, on a thread of its own.
#include <array>
#include <charconv>
#include <utility>

#include "natsd/engine.h"
#include "natsd/memory_client.h"
#include "natsd/memory_line.h"
#include "natsd/out_queue.h"
#include "natsd/parser.h"

namespace micro::natsd {
namespace {

// Memory that is kept after a rush.
constexpr std::size_t kKept = std::size_t{1} << 20U;

// Fields of the line that delivers a message.
struct Head {
  std::string_view subject;
  InProcessClient::Id sid = 0;
  std::string_view reply;
  std::size_t header_size = 0;
  std::size_t size = 0;
};

Head ReadHead(std::string_view line, bool headers) {
  Head head;
  head.subject = TakeField(line);
  const std::string_view sid = TakeField(line);
  std::from_chars(sid.data(), sid.data() + sid.size(), head.sid);
  std::array<std::string_view, 3> rest;
  std::size_t count = 0;
  for (std::string_view field = TakeField(line); !field.empty() && count < rest.size();
       field = TakeField(line)) {
    rest[count++] = field;
  }
  const std::size_t sizes = headers ? 2 : 1;
  if (count < sizes) return head;
  if (count > sizes) head.reply = rest[0];
  ReadSize(rest[count - 1], head.size);
  if (headers) ReadSize(rest[count - 2], head.header_size);
  return head;
}

}  // namespace

void MemoryLine::Arrive(const OutQueue& out) {
  const std::lock_guard lock(arrived_mutex_);
  if (stopping_) return;
  const bool first = arrived_.empty();
  out.CopyTo(arrived_);
  waiting_.fetch_add(out.pending(), std::memory_order_relaxed);
  if (first) arrived_changed_.notify_one();
}

void MemoryLine::Deliver() {
  std::string bytes;
  std::unique_lock lock(arrived_mutex_);
  while (true) {
    arrived_changed_.wait(lock, [this] { return stopping_ || !arrived_.empty(); });
    if (stopping_) return;
    bytes.clear();
    bytes.swap(arrived_);
    lock.unlock();
    DeliverAll(bytes);
    if (bytes.capacity() > kKept) bytes = std::string();
    lock.lock();
  }
}

// Whole lines only come from the server.
void MemoryLine::DeliverAll(std::string_view bytes) {
  std::size_t unseen = 0;
  while (!bytes.empty()) {
    const std::size_t size = DeliverLine(bytes);
    bytes.remove_prefix(size);
    unseen += size;
    if (unseen >= kSeenAtOnce || bytes.empty()) Seen(std::exchange(unseen, 0));
  }
}

// How long the line was, with its payload.
std::size_t MemoryLine::DeliverLine(std::string_view bytes) {
  const std::size_t end = bytes.find('\n') + 1;
  const std::string_view line = bytes.substr(0, end);
  const bool headers = line.starts_with("HMSG ");
  if (!headers && !line.starts_with("MSG ")) {
    if (line.starts_with("PONG")) OnPong();
    return end;
  }
  const std::string_view fields = line.substr(0, line.find_first_of("\r\n"));
  const Head head = ReadHead(fields.substr(headers ? 5 : 4), headers);
  const std::string_view body = bytes.substr(end, head.size);
  Call(head.sid, {.subject = head.subject,
                  .reply = head.reply,
                  .headers = body.substr(0, head.header_size),
                  .payload = body.substr(head.header_size)});
  return end + head.size + 2;
}

const MemoryLine::SubPtr& MemoryLine::Find(InProcessClient::Id id) {
  if (known_id_ == id && known_ != nullptr) return known_;
  const std::lock_guard lock(mutex_);
  const auto found = subs_.find(id);
  known_id_ = id;
  known_ = found == subs_.end() ? nullptr : found->second;
  return known_;
}

void MemoryLine::Call(InProcessClient::Id id, const InProcessMessage& message) {
  const SubPtr sub = Find(id);
  if (sub == nullptr) return;
  sub->running.store(true);
  if (!sub->closed.load()) sub->callback(message);
  sub->running.store(false);
  if (sub->closed.load()) sub->running.notify_all();
  if (sub->max == 0 || ++sub->delivered < sub->max) return;
  const std::lock_guard lock(mutex_);
  Remove(id);
  known_ = nullptr;
}

void MemoryLine::OnPong() {
  const std::lock_guard lock(mutex_);
  ++pongs_;
  std::erase_if(subs_, [this](const auto& entry) {
    return entry.second->ends_with != 0 && entry.second->ends_with <= pongs_;
  });
  known_ = nullptr;
  taken_changed_.notify_all();
}

// Callbacks have dealt with so much.
void MemoryLine::Seen(std::size_t size) {
  waiting_.fetch_sub(size);
  TellOfRoom();
}

// Whichever comes last, the call or the room, finds the other there.
void MemoryLine::CallForRoom() {
  call_for_room_.store(true);
  TellOfRoom();
}

void MemoryLine::TellOfRoom() {
  if (waiting_.load() > kRoomAgain || !call_for_room_.exchange(false)) return;
  engine_.loop().Post([self = shared_from_this()] {
    if (self->server_ != nullptr) self->server_->OnCaughtUp();
  });
}

}  // namespace micro::natsd
