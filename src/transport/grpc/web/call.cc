#include "transport/grpc/web/call.h"

#include <utility>
#include <vector>

#include "transport/grpc/waiting.h"

namespace micro::web {

// Whoever is woken may give the call back: it stays until the last one has returned.
class Call::Busy {
 public:
  explicit Busy(Call& call) : call_(call) { ++call_.busy_; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    if (--call_.busy_ == 0 && call_.released_) delete &call_;
  }

 private:
  Call& call_;
};

namespace {

// Headers that the protocols have dealt with are nothing to the user.
void Clean(Metadata& metadata) {
  std::vector<std::string> own;
  for (const auto& [key, value] : metadata) {
    if (key != "user-agent" && IsReserved(key)) own.emplace_back(key);
  }
  for (const std::string& key : own) metadata.Remove(key);
}

}  // namespace

Call::Call(Port& port, http::Exchange& exchange, Request request, Metadata fields)
    : port_(port),
      loop_(exchange.loop()),
      exchange_(&exchange),
      peer_(exchange.peer()),
      path_(request.head.path),
      head_(std::move(request.head)),
      fields_(std::move(fields)) {
  Clean(head_.metadata);
}

void Call::Open(const Status& status) {
  exchange_->Attach(*this);
  if (!status) {
    const Busy busy(*this);
    Break(status);
    return Release();
  }
  port_.acceptor.Accept(transport::ServerStreamPtr(this));
}

void Call::OnBody(std::string_view bytes) {
  if (finished_) return;
  const Busy busy(*this);
  body_bytes_ += bytes.size();
  if (body_bytes_ > most_body()) {
    return Break(ResourceExhausted("the request is over the limit of " +
                                   std::to_string(port_.limits.max_message) +
                                   " bytes (--max_message_size)"));
  }
  if (Status taken = TakeBody(bytes); !taken) return Break(taken);
  if (ready()) grpc::Wake(read_waiter_);
}

void Call::OnBodyEnd() {
  if (finished_) return;
  const Busy busy(*this);
  body_ended_ = true;
  if (Status taken = TakeEnd(); !taken) return Break(taken);
  grpc::Wake(read_waiter_);
}

// What came cannot be read: that is the call's answer.
void Call::Break(const Status& why) {
  port_.acceptor.OnRefused(peer_ + " " + path_, why.error().detail());
  Finish(why, {});
  grpc::Wake(close_waiter_);
}

void Call::OnDrained() {
  const Busy busy(*this);
  grpc::Wake(write_waiter_);
}

void Call::OnClosed() {
  const Busy busy(*this);
  exchange_ = nullptr;
  peer_.clear();
  if (!finished_) grpc::Wake(close_waiter_);
  grpc::Wake(read_waiter_);
  grpc::Wake(write_waiter_);
}

transport::Read Call::TryRead(std::string& message) {
  if (ended()) return transport::Read::kEnd;
  if (!ready()) return body_ended_ ? transport::Read::kEnd : transport::Read::kPending;
  TakeMessage(message);
  return transport::Read::kMessage;
}

void Call::Write(std::string& message) {
  if (!ended()) SendMessage(message);
}

bool Call::writable() const { return ended() || exchange_->unsent() < grpc::kHighWater; }

void Call::Finish(const Status& status, const Metadata& trailers) {
  if (ended()) return;
  const Busy busy(*this);
  finished_ = true;
  SendEnd(status, trailers);
  grpc::Wake(read_waiter_);
  grpc::Wake(write_waiter_);
}

void Call::Reset(Code /*reason*/) {
  finished_ = true;
  if (exchange_ != nullptr) exchange_->Abort();
}

void Call::Release() {
  const Busy busy(*this);
  released_ = true;
  read_waiter_ = write_waiter_ = close_waiter_ = nullptr;
  if (auto* exchange = std::exchange(exchange_, nullptr)) exchange->Leave();
}

}  // namespace micro::web
