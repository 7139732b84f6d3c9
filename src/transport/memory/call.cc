#include "transport/memory/call.h"

#include <utility>

namespace micro::memory {
namespace {

constexpr std::size_t kMostWaiting = 16;  // messages, beyond which a writer should wait

}  // namespace

class Call::ClientEnd final : public transport::ClientStream {
 public:
  explicit ClientEnd(Call& call) : call_(call) {}

  transport::Read TryRead(std::string& message) override {
    return call_.TryRead(call_.to_client_, message);
  }
  void WaitReadable(transport::Waiter& waiter) override { call_.to_client_.reader = &waiter; }
  void Write(std::string& message) override { call_.Write(call_.to_server_, message); }
  bool writable() const override { return call_.to_server_.messages.size() < kMostWaiting; }
  void WaitWritable(transport::Waiter& waiter) override { call_.to_server_.writer = &waiter; }
  void CloseSend() override {
    call_.to_server_.ended = true;
    call_.Wake(&Lane::reader, call_.to_server_);
  }
  const Status& status() const override { return call_.status_; }
  bool unprocessed() const override { return false; }
  Metadata& metadata() override { return call_.metadata_; }
  Metadata& trailers() override { return call_.trailers_; }
  void Reset(Code reason) override { call_.Break(reason, "the call was reset"); }
  void Release() override {
    call_.to_client_.reader = nullptr;
    call_.to_server_.writer = nullptr;
    if (!call_.finished_) call_.Break(Code::kCancelled, "the caller has gone");
    const auto hold = std::move(call_.client_hold_);
  }

 private:
  Call& call_;
};

class Call::ServerEnd final : public transport::ServerStream {
 public:
  explicit ServerEnd(Call& call) : call_(call) {}

  EventLoop& loop() override { return call_.loop_; }
  transport::CallHead& head() override { return call_.head_; }
  const std::string& peer() const override { return call_.peer_; }
  transport::Read TryRead(std::string& message) override {
    return call_.TryRead(call_.to_server_, message);
  }
  void WaitReadable(transport::Waiter& waiter) override { call_.to_server_.reader = &waiter; }
  void Write(std::string& message) override { call_.Write(call_.to_client_, message); }
  bool writable() const override { return call_.to_client_.messages.size() < kMostWaiting; }
  void WaitWritable(transport::Waiter& waiter) override { call_.to_client_.writer = &waiter; }
  void WaitClosed(transport::Waiter& waiter) override { call_.close_waiter_ = &waiter; }
  void SetMetadata(const Metadata& metadata) override { call_.metadata_ = metadata; }
  void Finish(const Status& status, const Metadata& trailers) override {
    Status sent = status;
    if (!sent) sent.error().set_phase(Phase::kRemote);
    call_.Finish(std::move(sent), trailers);
  }
  void Reset(Code reason) override { call_.Break(reason, "the service reset the call"); }
  void Release() override {
    call_.to_server_.reader = nullptr;
    call_.to_client_.writer = nullptr;
    call_.close_waiter_ = nullptr;
    if (!call_.finished_) call_.Break(Code::kCancelled, "the service dropped the call");
    const auto hold = std::move(call_.server_hold_);
  }

 private:
  Call& call_;
};

Call::Call(EventLoop& loop, transport::CallHead head, std::string peer,
           const transport::Limits& limits)
    : loop_(loop),
      head_(std::move(head)),
      peer_(std::move(peer)),
      limits_(limits),
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

transport::Read Call::TryRead(Lane& lane, std::string& message) {
  if (abandoned_ && &lane == &to_server_) return transport::Read::kEnd;
  if (lane.messages.empty()) return lane.ended ? transport::Read::kEnd : transport::Read::kPending;
  std::swap(message, lane.messages.front());
  lane.messages.pop_front();
  if (lane.messages.size() < kMostWaiting) Wake(&Lane::writer, lane);
  return transport::Read::kMessage;
}

void Call::Write(Lane& lane, std::string& message) {
  if (finished_ || lane.ended) return;
  message.erase(0, transport::kHeadroom);
  if (message.size() > limits_.max_message) {
    Finish(ResourceExhausted("a message of " + std::to_string(message.size()) +
                             " bytes is over the limit of " + std::to_string(limits_.max_message) +
                             " (--max_message_size)"),
           {});
    return WakeClosed();
  }
  lane.messages.push_back(std::move(message));
  message.clear();
  Wake(&Lane::reader, lane);
}

void Call::Finish(Status status, const Metadata& trailers) {
  if (std::exchange(finished_, true)) return;
  status_ = std::move(status);
  trailers_ = trailers;
  to_client_.ended = true;
  Wake(&Lane::reader, to_client_);
}

void Call::Break(Code code, std::string why) {
  if (finished_) return;
  abandoned_ = true;
  to_client_.messages.clear();
  Finish(Fails(Error(code, std::move(why)).set_phase(Phase::kSend)), {});
  WakeClosed();
}

void Call::WakeClosed() {
  Later([this] {
    if (auto* waiter = std::exchange(close_waiter_, nullptr)) waiter->Wake();
  });
}

void Call::Wake(transport::Waiter* Lane::* waiter, Lane& lane) {
  if (lane.*waiter == nullptr) return;
  Later([&lane, waiter] {
    if (auto* woken = std::exchange(lane.*waiter, nullptr)) woken->Wake();
  });
}

void Call::Later(std::move_only_function<void()> action) {
  loop_.Post([hold = shared_from_this(), action = std::move(action)]() mutable { action(); });
}

}  // namespace micro::memory
