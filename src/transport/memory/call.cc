#include "transport/memory/call.h"

#include <utility>

namespace micro::memory {
namespace {

constexpr std::size_t kMostWaiting = 16;  // messages, beyond which a writer should wait

}  // namespace

bool Call::Lane::writable() const { return messages.size() < kMostWaiting; }

// What is there already wakes at once: the other side does not wait for this one to sit down.
template <typename Ready>
void Call::Sit(Seat& seat, transport::Waiter& waiter, Ready ready) {
  const std::lock_guard lock(mutex_);
  seat.waiter = &waiter;
  if (ready()) Wake(seat);
}

// What is read without the lock is not written any more by the time the contract lets it be read.
class Call::ClientEnd final : public transport::ClientStream {
 public:
  explicit ClientEnd(Call& call) : call_(call) {}

  transport::Read TryRead(std::string& message) override {
    return call_.TryRead(call_.to_client_, message);
  }
  void WaitReadable(transport::Waiter& waiter) override {
    call_.Sit(call_.to_client_.reader, waiter, [this] { return call_.to_client_.readable(); });
  }
  void Write(std::string& message) override { call_.Write(call_.to_server_, message); }
  bool writable() const override { return call_.Writable(call_.to_server_); }
  void WaitWritable(transport::Waiter& waiter) override {
    call_.Sit(call_.to_server_.writer, waiter, [this] { return call_.HasRoom(call_.to_server_); });
  }
  bool ended() const override { return call_.over(); }
  void CloseSend() override { call_.CloseLane(call_.to_server_); }
  const Status& status() const override { return call_.status_; }
  bool unprocessed() const override { return call_.unprocessed_; }
  Metadata& metadata() override { return call_.metadata_; }
  Metadata& trailers() override { return call_.trailers_; }
  void Reset(Code reason) override { call_.Break(reason, "the call was reset"); }
  void Release() override {
    call_.Leave({&call_.to_client_.reader, &call_.to_server_.writer});
    call_.Break(Code::kCancelled, "the caller has gone");
    const auto hold = std::move(call_.client_hold_);
  }

 private:
  Call& call_;
};

class Call::ServerEnd final : public transport::ServerStream {
 public:
  explicit ServerEnd(Call& call) : call_(call) {}

  EventLoop& loop() override { return call_.server_loop_; }
  transport::CallHead& head() override { return call_.head_; }
  const std::string& peer() const override { return call_.peer_; }
  transport::Read TryRead(std::string& message) override {
    return call_.TryRead(call_.to_server_, message);
  }
  void WaitReadable(transport::Waiter& waiter) override {
    call_.Sit(call_.to_server_.reader, waiter, [this] { return call_.to_server_.readable(); });
  }
  void Write(std::string& message) override { call_.Write(call_.to_client_, message); }
  bool writable() const override { return call_.Writable(call_.to_client_); }
  void WaitWritable(transport::Waiter& waiter) override {
    call_.Sit(call_.to_client_.writer, waiter, [this] { return call_.HasRoom(call_.to_client_); });
  }
  bool ended() const override { return call_.over(); }
  void WaitClosed(transport::Waiter& waiter) override {
    call_.Sit(call_.close_, waiter, [this] { return call_.abandoned_; });
  }
  void SetMetadata(const Metadata& metadata) override { call_.SetMetadata(metadata); }
  void Finish(const Status& status, const Metadata& trailers) override {
    Status sent = status;
    if (!sent) sent.error().set_phase(Phase::kRemote);
    call_.Finish(std::move(sent), trailers);
  }
  void Reset(Code reason) override { call_.Break(reason, "the service reset the call"); }
  void Release() override {
    call_.Leave({&call_.to_server_.reader, &call_.to_client_.writer, &call_.close_});
    call_.Break(Code::kCancelled, "the service dropped the call");
    const auto hold = std::move(call_.server_hold_);
  }

 private:
  Call& call_;
};

Call::Call(EventLoop& client_loop, EventLoop& server_loop, transport::CallHead head,
           std::string peer, const transport::Limits& limits)
    : server_loop_(server_loop),
      head_(std::move(head)),
      peer_(std::move(peer)),
      limits_(limits),
      to_server_(client_loop, server_loop),
      to_client_(server_loop, client_loop),
      close_{server_loop},
      client_(std::make_unique<ClientEnd>(*this)),
      server_(std::make_unique<ServerEnd>(*this)) {}

Call::~Call() = default;

transport::ClientStreamPtr Call::client() {
  client_hold_ = shared_from_this();
  return transport::ClientStreamPtr(client_.get());
}

transport::ServerStreamPtr Call::server() {
  server_hold_ = shared_from_this();
  return transport::ServerStreamPtr(server_.get());
}

bool Call::over() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

transport::Read Call::TryRead(Lane& lane, std::string& message) {
  const std::lock_guard lock(mutex_);
  if (lane.messages.empty()) return lane.ended ? transport::Read::kEnd : transport::Read::kPending;
  std::swap(message, lane.messages.front());
  lane.messages.pop_front();
  if (lane.writable()) Wake(lane.writer);
  return transport::Read::kMessage;
}

void Call::Write(Lane& lane, std::string& message) {
  message.erase(0, transport::kHeadroom);
  const std::lock_guard lock(mutex_);
  if (finished_ || lane.ended) return;
  if (message.size() > limits_.max_message) {
    return Abandon(ResourceExhausted(
        "a message of " + std::to_string(message.size()) + " bytes is over the limit of " +
        std::to_string(limits_.max_message) + " (--max_message_size)"));
  }
  lane.messages.push_back(std::move(message));
  message.clear();
  Wake(lane.reader);
}

bool Call::Writable(const Lane& lane) const {
  const std::lock_guard lock(mutex_);
  return HasRoom(lane);
}

void Call::CloseLane(Lane& lane) {
  const std::lock_guard lock(mutex_);
  lane.ended = true;
  Wake(lane.reader);
}

void Call::SetMetadata(const Metadata& metadata) {
  const std::lock_guard lock(mutex_);
  if (!finished_) metadata_ = metadata;
}

void Call::Finish(Status status, const Metadata& trailers) {
  const std::lock_guard lock(mutex_);
  if (!finished_) End(std::move(status), trailers);
}

void Call::Break(Code code, std::string why, bool unprocessed) {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  unprocessed_ = unprocessed;
  to_client_.messages.clear();
  Abandon(Fails(Error(code, std::move(why)).set_phase(Phase::kSend)));
}

void Call::Abandon(Status status) {
  abandoned_ = true;
  End(std::move(status), {});
  Wake(close_);
}

void Call::End(Status status, const Metadata& trailers) {
  finished_ = true;
  status_ = std::move(status);
  trailers_ = trailers;
  to_server_.messages.clear();
  for (Lane* lane : {&to_server_, &to_client_}) {
    lane->ended = true;
    Wake(lane->reader);
    Wake(lane->writer);
  }
}

void Call::Leave(std::initializer_list<Seat*> seats) {
  const std::lock_guard lock(mutex_);
  for (Seat* seat : seats) seat->waiter = nullptr;
}

void Call::Wake(Seat& seat) {
  if (seat.waiter == nullptr) return;
  seat.loop.Post([self = shared_from_this(), &seat] {
    std::unique_lock lock(self->mutex_);
    auto* const woken = std::exchange(seat.waiter, nullptr);
    lock.unlock();
    if (woken != nullptr) woken->Wake();
  });
}

}  // namespace micro::memory
