#include "server/call.h"

#include <charconv>
#include <utility>

#include "base/recycler.h"
#include "observe/trace.h"
#include "runtime/loop.h"

namespace micro::server {
namespace {

constexpr std::string_view kTimeout = "timeout";
constexpr std::string_view kContentType = "x-content-type";
constexpr std::size_t kKept = 16U << 10U;  // of a buffer's memory, between two calls

void Shrink(std::string& text) {
  if (text.capacity() > kKept) text = std::string();
  text.clear();
}

}  // namespace

Call::Call() = default;

void Call::Begin(Host& host, transport::ServerStreamPtr stream, bool probe) {
  Call* call = Recycler<Call>::Get().release();
  call->host_ = &host;
  call->probe_ = probe;
  call->loop_ = &stream->loop();
  call->stream_ = std::move(stream);
  call->began_ = std::chrono::steady_clock::now();
  Status prepared = call->Prepare();
  call->stats_->Started();
  if (!prepared) {
    call->Answer(prepared);
    return call->Done();
  }
  call->ArmDeadline();
  call->stream_->WaitClosed(call->closed_);
  if (call->one_request()) return call->Advance();
  call->serving_ = true;
  call->Serve();
}

bool Call::one_request() const {
  const MethodKind kind = served_->method->info.kind;
  return kind == MethodKind::kUnary || kind == MethodKind::kServerStream;
}

bool Call::one_response() const {
  const MethodKind kind = served_->method->info.kind;
  return kind == MethodKind::kUnary || kind == MethodKind::kClientStream;
}

Status Call::Prepare() {
  transport::CallHead& head = stream_->head();
  const auto served = host_->methods().Find(head.path);
  stats_ = served ? &(*served)->stats : &host_->methods().unknown();
  if (!served) return Failure(served.error());
  served_ = *served;
  if (head.safe && !served_->method->info.no_side_effects) {
    return Unimplemented(head.path + " is no method that a GET may call");
  }
  std::swap(context_.path_, head.path);
  std::swap(context_.metadata_, head.metadata);
  context_.service_ = host_->name();
  context_.peer_ = stream_->peer();
  context_.trace_ = observe::Continue(context_.metadata_);
  context_.deadline_ = head.deadline;
  context_.received_compression_ = head.compression;
  TakeTimeout();
  return ChooseCodec();
}

// go-micro's own deadline, in nanoseconds. Its clients also send it on streams, where it must not
// count: they would end after five seconds.
void Call::TakeTimeout() {
  const auto text = context_.metadata_.Get(kTimeout);
  if (!text) return;
  std::int64_t count = 0;
  const char* end = text->data() + text->size();
  const bool whole = std::from_chars(text->data(), end, count).ptr == end && count >= 0;
  if (whole && !text->empty() && served_->method->info.kind == MethodKind::kUnary) {
    const TimePoint deadline = runtime::Later(std::chrono::steady_clock::now(), Duration(count));
    if (!context_.deadline_ || deadline < *context_.deadline_) context_.deadline_ = deadline;
  }
  context_.metadata_.Remove(kTimeout);
}

// The label on the wire, or else the one a go-micro client puts beside it; by default protobuf.
Status Call::ChooseCodec() {
  std::string_view label = stream_->head().content_type;
  const auto asked = context_.metadata_.Get(kContentType);
  if (asked && label == "application/grpc") label = *asked;
  codec_ = host_->codecs().Find(label);
  if (codec_ == nullptr) {
    return Unimplemented("Unsupported Content-Type: " + std::string(label) +
                         "; known: " + host_->codecs().Known());
  }
  if (asked) context_.metadata_.Remove(kContentType);
  return Ok();
}

void Call::ArmDeadline() {
  if (!context_.deadline_) return;
  runtime::Loop::Of(stream_->loop()).Add(deadline_, *context_.deadline_);
}

void Call::Advance() {
  switch (stream_->TryRead(request_)) {
    case transport::Read::kPending:
      return stream_->WaitReadable(readable_);
    case transport::Read::kEnd:
      Answer(Internal("the call ended before its request message came"));
      return Done();
    case transport::Read::kMessage:
      serving_ = true;
      Serve();
  }
}

internal::Detached Call::Serve() {
  Status status;
  try {
    status = co_await chain_.Run(host_->middleware(), *this, context_);
  } catch (...) {
    Error error = internal::FromException(std::current_exception());
    host_->runtime().logger().Write(
        LogLevel::kError, "the handler of " + context_.path_ + " threw: " + error.detail());
    status = Fails(std::move(error));
  }
  Answer(status);
  Done();
}

Task<Status> Call::Run(Context& /*context*/) {
  return served_->method->serve(*served_->handler, *this);
}

Status Call::ReadRequest(google::protobuf::Message& request) {
  stats_->Received();
  Status decoded = codec_->Decode(request_, request);
  const bool first = !std::exchange(sniffed_, true);
  return decoded || !first ? decoded : Sniff(request, std::move(decoded));
}

transport::Read Call::TryRead(google::protobuf::Message& message) {
  if (answered_ || !over_) return transport::Read::kEnd;
  const transport::Read read = stream_->TryRead(request_);
  if (read == transport::Read::kEnd && stream_->ended()) Over(Cancelled("the call has ended"));
  if (read != transport::Read::kMessage) return read;
  over_ = ReadRequest(message);
  return over_ ? read : transport::Read::kEnd;
}

bool Call::Write(const google::protobuf::Message& message) {
  if (answered_ || !over_) return false;
  if (stream_->ended()) return Over(Cancelled("the call has ended")), false;
  if (over_ = WriteResponse(message); !over_) return false;
  SetHead();
  stats_->Sent();
  stream_->Write(response_);
  return true;
}

// Go clients before v2.6 label by the current call and encode as the connection's first one did. No
// proto message reads as JSON, nor the other way round: the answer goes back in what really came.
Status Call::Sniff(google::protobuf::Message& request, Status failed) {
  const bool json = codec_->name() == "json";
  if (!json && codec_->name() != "proto") return failed;
  const Codec* other = host_->codecs().FindByName(json ? "proto" : "json");
  if (other == nullptr || !other->Decode(request_, request)) return failed;
  codec_ = other;
  stream_->head().content_type = "application/grpc+" + std::string(other->name());
  return Ok();
}

Status Call::WriteResponse(const google::protobuf::Message& response) {
  response_.assign(transport::kHeadroom, '\0');
  return codec_->Encode(response, response_);
}

void Call::Answer(const Status& status) {
  if (std::exchange(answered_, true)) return;
  if (status) return AnswerOk();
  Error error = status.error();
  code_ = error.code();
  if (error.id().empty()) error.set_id(host_->name());
  SetHead();
  stream_->Finish(Fails(std::move(error)), context_.trailers_);
}

// Ahead of the first message, or of the end where there is none.
void Call::SetHead() {
  if (std::exchange(head_set_, true)) return;
  if (!context_.response_metadata_.empty()) stream_->SetMetadata(context_.response_metadata_);
  if (context_.compression_ != Compression::kNone) stream_->SetCompression(context_.compression_);
}

void Call::AnswerOk() {
  if (!one_response()) {
    SetHead();
    return stream_->Finish(Ok(), context_.trailers_);
  }
  if (response_.empty()) {
    code_ = Code::kInternal;
    return stream_->Finish(
        Internal("the middleware of " + context_.path_ + " succeeded without a response"), {});
  }
  SetHead();
  stats_->Sent();
  stream_->Write(response_);
  stream_->Finish(Ok(), context_.trailers_);
}

void Call::Over(Status why) {
  if (over_) over_ = std::move(why);
}

void Call::CallerGone() {
  Over(Cancelled("the caller has gone"));
  if (!std::exchange(answered_, true)) code_ = Code::kCancelled;
  held_ = true;
  context_.Cancel();
  LetGo();
}

void Call::Expire() {
  Status late = Fails(Error(Code::kDeadlineExceeded, "the caller's deadline passed in " +
                                                         host_->name() + " " + context_.path_)
                          .set_id(host_->name()));
  Over(late);
  // Before the rest: a blocking handler may be writing to the context at this moment.
  const bool answered = std::exchange(answered_, true);
  held_ = true;
  context_.Cancel();
  if (!answered) {
    code_ = Code::kDeadlineExceeded;
    stream_->Finish(late, {});
  }
  LetGo();
}

// A handler may have returned meanwhile, woken by the cancellation or by the end of its stream.
void Call::LetGo() {
  held_ = false;
  if (!serving_ || done_) Done();
}

// Counted are all calls; spans are for those a program serves itself.
void Call::Observe() {
  const Duration took = std::chrono::steady_clock::now() - began_;
  stats_->Ended(code_, took);
  if (served_ == nullptr || served_->standard) return;
  host_->observer().Add({.record = {.trace = context_.trace_,
                                    .name = served_->span_name,
                                    .start = began_,
                                    .duration = took,
                                    .code = code_,
                                    .kind = SpanKind::kServer},
                         .service = context_.service_,
                         .path = context_.path_,
                         .peer = context_.peer_,
                         .attributes = &context_.attributes_});
}

void Call::Done() {
  if (held_) {
    done_ = true;
    return;
  }
  Observe();
  deadline_.Cancel();
  stream_.reset();
  context_.Reset();
  Shrink(request_);
  Shrink(response_);
  served_ = nullptr;
  codec_ = nullptr;
  stats_ = nullptr;
  code_ = Code::kOk;
  over_ = Ok();
  serving_ = answered_ = sniffed_ = head_set_ = done_ = false;
  Host& host = *host_;
  const bool probe = probe_;
  Recycler<Call>::Put(std::unique_ptr<Call>(this));
  host.OnDone(probe);
}

}  // namespace micro::server
