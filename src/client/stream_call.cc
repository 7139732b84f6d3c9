#include "client/stream_call.h"

#include <utility>

namespace micro::client {

// Awaitable: whether an attempt ended by itself, before its patience did.
class StreamCall::Ending final : public runtime::Wait {
 public:
  Ending(StreamCall& call, const runtime::Patience& patience) : Wait(patience), call_(call) {}

  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) {
    StreamCall& call = call_;
    call.ending_ = this;
    if (!Suspend(waiting)) return false;
    call.Begin();  // which may end the wait, and this with it
    return true;
  }
  bool await_resume() {
    call_.ending_ = nullptr;
    return settled();
  }

 private:
  StreamCall& call_;
};

StreamCall::StreamCall(EventLoop& loop, const ClientParts& parts, PerLoop& per_loop,
                       const std::vector<Middleware>& middleware, const std::string& service,
                       const MethodInfo& method, const CallOptions& options)
    : Call(parts, per_loop, service, method, options), loop_(loop), middleware_(middleware) {}

void StreamCall::SetRequest(const google::protobuf::Message& request) {
  const Codec* codec = FindCodec();
  if (codec == nullptr) return;  // the call itself will say so
  request_.emplace(transport::kHeadroom, '\0');
  if (Status encoded = codec->Encode(request, *request_); !encoded) Refuse(std::move(encoded));
  send_closed_ = true;
}

void StreamCall::Refuse(Status why) {
  status_ = std::move(why);
  done_ = true;
}

void StreamCall::Start() {
  if (done_) return;
  if (options_.parent != nullptr) watch_.emplace(loop_, interrupter_, *options_.parent);
  Call::Begin();
  Drive(std::static_pointer_cast<StreamCall>(shared_from_this()));
}

internal::Detached StreamCall::Drive(std::shared_ptr<StreamCall> self) {
  Status status;
  try {
    status = co_await self->chain_.Run(self->middleware_, *self, self->context_);
  } catch (...) {
    status = Fails(internal::FromException(std::current_exception()));
  }
  self->Finish(std::move(status));
}

void StreamCall::Finish(Status status) {
  status_ = std::move(status);
  done_ = true;
  End(status_ ? Code::kOk : status_.error().code());
  stream_.reset();
  watch_.reset();
  unlink();
  if (options_.info != nullptr) Report(*options_.info);
  reader_.Wake();
  writer_.Wake();
  if (auto* woken = std::exchange(done_waiter_, nullptr)) woken->Wake();
}

Task<Call::Attempt> StreamCall::Exchange(transport::Connection& connection) {
  head_.authority = node_->address;
  context_.peer_ = node_->address;
  stream_ = connection.Open(head_);
  attempt_over_ = false;
  if (request_) {
    out_ = *request_;
    called_.stats.Sent();
    stream_->Write(out_);
  }
  if (send_closed_) stream_->CloseSend();
  Ending ending(*this, patience_);
  const bool in_time = co_await ending;
  attempt_over_ = true;
  Attempt attempt = Settle(in_time);
  stream_.reset();
  co_return attempt;
}

// Whoever waited for the call to be opened goes on.
void StreamCall::Begin() {
  if (reader_.waiter != nullptr) stream_->WaitReadable(reader_);
  writer_.Wake();
}

Call::Attempt StreamCall::Settle(bool in_time) {
  if (!in_time) return {OutOfTime()};
  if (!broken_) return {broken_};
  if (!has_head_) context_.response_metadata_ = stream_->metadata();
  context_.trailers_ = stream_->trailers();
  context_.received_compression_ = stream_->compression();
  const Status& status = stream_->status();
  if (status) return {Ok()};
  return touched_ ? Attempt{status} : Judge(*stream_);
}

void StreamCall::EndAttempt() {
  attempt_over_ = true;
  if (ending_ != nullptr) ending_->Settle();
}

transport::Read StreamCall::TryRead(google::protobuf::Message& message) {
  if (done_) return transport::Read::kEnd;
  if (!open()) return transport::Read::kPending;
  const transport::Read read = stream_->TryRead(in_);
  if (read == transport::Read::kPending) return read;
  if (read == transport::Read::kMessage) {
    touched_ = true;
    called_.stats.Received();
    if (!std::exchange(has_head_, true)) context_.response_metadata_ = stream_->metadata();
    const Status decoded = codec_->Decode(in_, message);
    if (decoded) return read;
    broken_ = Fails(Error(Code::kInternal, "a message cannot be read: " + decoded.error().detail())
                        .set_phase(Phase::kRemote));
  }
  EndAttempt();
  return done_ ? transport::Read::kEnd : transport::Read::kPending;
}

void StreamCall::WaitReadable(transport::Waiter& waiter) {
  reader_.waiter = &waiter;
  if (open()) stream_->WaitReadable(reader_);
}

bool StreamCall::Write(const google::protobuf::Message& message) {
  if (done_ || !open() || send_closed_ || stream_->ended()) return false;
  out_.assign(transport::kHeadroom, '\0');
  if (Status encoded = codec_->Encode(message, out_); !encoded) {
    broken_ = std::move(encoded);
    EndAttempt();
    return false;
  }
  touched_ = true;
  called_.stats.Sent();
  stream_->Write(out_);
  return true;
}

bool StreamCall::writable() const { return done_ || (open() && stream_->writable()); }

void StreamCall::WaitWritable(transport::Waiter& waiter) {
  writer_.waiter = &waiter;
  if (open()) stream_->WaitWritable(writer_);
}

void StreamCall::CloseSend() {
  if (std::exchange(send_closed_, true)) return;
  if (open()) stream_->CloseSend();
}

void StreamCall::Cancel() {
  options_.info = nullptr;
  if (!done_) interrupter_.Pull();
}

}  // namespace micro::client
