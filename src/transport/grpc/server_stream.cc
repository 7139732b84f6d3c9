#include "transport/grpc/server_stream.h"

#include <utility>

#include "base/recycler.h"
#include "transport/grpc/fields.h"
#include "transport/grpc/waiting.h"
#include "transport/grpc/wire.h"

namespace micro::grpc {
ServerStream::ServerStream(const transport::Limits& limits)
    : limits_(limits), reader_(limits.max_message) {}

ServerStream* ServerStream::Make(const transport::Limits& limits, transport::Acceptor& acceptor,
                                 Elsewhere& elsewhere, http2::Session& session) {
  ServerStream* stream = Recycler<ServerStream>::Get(limits).release();
  stream->limits_ = limits;
  stream->reader_.set_limit(limits.max_message);
  stream->acceptor_ = &acceptor;
  stream->elsewhere_ = &elsewhere;
  stream->loop_ = &session.loop();
  stream->peer_ = &session.peer();
  return stream;
}

bool ServerStream::OnHeader(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size() + kHeaderCost;
  if (header_bytes_ > limits_.max_metadata) {
    if (refused_)
      refused_ = ResourceExhausted("the call's metadata is over the limit (--max_metadata_size)");
    return header_bytes_ <= limits_.max_metadata * kHeaderBomb;
  }
  if (opened_) return true;  // trailers of a request mean nothing in gRPC
  if (name.starts_with(':')) return OnPseudoHeader(name, value);
  if (name.starts_with("grpc-")) return OnGrpcHeader(name, value);
  return OnPlainHeader(name, value);
}

bool ServerStream::OnPseudoHeader(std::string_view name, std::string_view value) {
  if (name == ":path") {
    head_.path = value;
  } else if (name == ":authority") {
    head_.authority = value;
  } else if (name == ":method" && value != "POST") {
    method_ = value;
  }
  return true;
}

bool ServerStream::OnPlainHeader(std::string_view name, std::string_view value) {
  if (name == "content-type") {
    head_.content_type = value;
    return true;
  }
  if (name == "x-content-type") message_form_ = MessageForm::kJson;  // a go-micro client
  if (name == "te" || (name != "user-agent" && IsReserved(name))) return true;
  if (!AddField(head_.metadata, name, value) && refused_) {
    refused_ = InvalidArgument("the value of " + std::string(name) + " is no base64");
  }
  return true;
}

bool ServerStream::OnGrpcHeader(std::string_view name, std::string_view value) {
  if (name == "grpc-timeout") {
    const auto deadline = DecodeDeadline(value);
    if (deadline) {
      head_.deadline = *deadline;
    } else if (refused_) {
      refused_ = Failure(deadline.error());
    }
  } else if (name == "grpc-encoding") {
    OnEncoding(value);
  } else if (name == "grpc-accept-encoding") {
    takes_gzip_ = HasToken(value, "gzip");
  }
  return true;
}

void ServerStream::OnEncoding(std::string_view encoding) {
  if (encoding == "identity") return;
  if (encoding == "gzip") {
    head_.compression = Compression::kGzip;
    return reader_.set_compression(Compression::kGzip);
  }
  unknown_encoding_ = true;
  if (!refused_) return;
  refused_ = Unimplemented("messages compressed by " + std::string(encoding) +
                           " are not understood; known: identity, gzip");
}

void ServerStream::SetCompression(Compression compression) {
  if (!head_sent_) compress_ = compression == Compression::kGzip && takes_gzip_;
}

void ServerStream::OnHeaders(bool /*end_of_stream*/) {
  if (opened_) return;
  opened_ = true;
  if (!IsGrpc()) return HandOver();
  if (!refused_) return Refuse(std::move(refused_));
  acceptor_->Accept(transport::ServerStreamPtr(this));
}

// The call ends before anybody has seen it: nobody will release it.
void ServerStream::Refuse(Status why) {
  Report(why.error().detail());
  acceptor_ = nullptr;
  Finish(why, {});
}

void ServerStream::Report(const std::string& why) {
  acceptor_->OnRefused(*peer_ + " " + head_.path, why);
}

// A POST of application/grpc or a sub-type of it, which application/grpc-web is not.
bool ServerStream::IsGrpc() const {
  constexpr std::string_view kGrpc = "application/grpc";
  const std::string_view type = head_.content_type;
  if (!method_.empty() || !type.starts_with(kGrpc)) return false;
  return type.size() == kGrpc.size() || type[kGrpc.size()] == '+' || type[kGrpc.size()] == ';';
}

void ServerStream::HandOver() {
  web::Request request{.method = method_.empty() ? "POST" : std::move(method_),
                       .head = std::move(head_),
                       .query = {},
                       .status = std::move(refused_)};
  web::SplitTarget(request);
  http2::Exchange& exchange = http2::Exchange::TakeOver(*this, request.method == "HEAD");
  elsewhere_->OnWebRequest(exchange, std::move(request));
  Recycle();
}

void ServerStream::OnData(std::string_view bytes) {
  if (finished_ || !refused_) return Consume(bytes.size());
  const std::size_t before = reader_.waiting();
  if (!Check(reader_.Append(bytes))) return;
  Consume(bytes.size() + before - reader_.waiting());
  if (reader_.ready()) Wake(read_waiter_);
}

void ServerStream::Consume(std::size_t bytes) {
  if (session() != nullptr && bytes > 0) session()->Consume(*this, bytes);
}

// What came cannot be read: that is the call's answer.
bool ServerStream::Check(const Status& received) {
  if (received) return true;
  if (acceptor_ != nullptr) Report(received.error().detail());
  End(received, {});
  Wake(close_waiter_);
  Wake(read_waiter_);
  Wake(write_waiter_);
  return false;
}

void ServerStream::OnEnd() {
  remote_ended_ = true;
  if (finished_) return;
  if (reader_.within()) {
    Check(Internal("the call ended within a message"));
    return;
  }
  Wake(read_waiter_);
}

transport::Read ServerStream::TryRead(std::string& message) {
  if (finished_ || closed_) return transport::Read::kEnd;
  if (!refused_) {
    Finish(refused_, {});
    return transport::Read::kEnd;
  }
  if (!reader_.ready()) return remote_ended_ ? transport::Read::kEnd : transport::Read::kPending;
  const std::size_t before = reader_.waiting();
  // What is wrong with the next message is for the next read: the reader has its hands full.
  refused_ = reader_.Take(message);
  Consume(before - reader_.waiting());
  return transport::Read::kMessage;
}

void ServerStream::SendHead() {
  head_sent_ = true;
  Fields& fields = Fields::Scratch();
  fields.Static(":status", "200");
  fields.Static("content-type", head_.content_type);  // lives as long as the stream
  if (compress_) fields.Static("grpc-encoding", "gzip");
  fields.Add(metadata_);
  session()->SubmitResponse(*this, fields.span(), true);
}

void ServerStream::Write(std::string& message) {
  if (finished_ || session() == nullptr) return;
  if (Status fits = CheckSendable(message.size() - transport::kHeadroom, limits_); !fits) {
    return Finish(fits, {});
  }
  compress_ ? WriteCompressed(message) : WritePrefix(message);
  Send(message);
  if (!head_sent_) SendHead();
}

bool ServerStream::writable() const { return ended() || unsent() < kHighWater; }

void ServerStream::OnDrained() { Wake(write_waiter_); }

void ServerStream::Finish(const Status& status, const Metadata& trailers) {
  End(status, trailers);
  Wake(read_waiter_);
  Wake(write_waiter_);
}

void ServerStream::End(const Status& status, const Metadata& trailers) {
  if (finished_ || session() == nullptr) return;
  finished_ = true;
  if (!head_sent_ && !metadata_.empty()) SendHead();
  if (head_sent_) {
    status_ = status;
    if (!trailers.empty()) trailers_ = trailers;
    return EndBody(true);
  }
  Fields& fields = Fields::Scratch();
  fields.Static(":status", "200");
  fields.Add("content-type", head_.content_type);
  if (unknown_encoding_) fields.Static("grpc-accept-encoding", "identity,gzip");
  fields.Add(trailers);
  fields.Add(status, message_form_);
  session()->SubmitResponse(*this, fields.span(), false);
}

void ServerStream::OnTrailersDue() {
  Fields& fields = Fields::Scratch();
  fields.Add(trailers_);
  fields.Add(status_, message_form_);
  session()->SubmitTrailers(*this, fields.span());
}

// The answer is complete. A caller that still sends is told to stop (RFC 9113 section 8.1).
void ServerStream::OnSent() {
  if (!remote_ended_) session()->Reset(*this, NGHTTP2_NO_ERROR);
}

void ServerStream::Reset(Code reason) {
  if (session() == nullptr) return;
  finished_ = true;
  session()->Reset(*this, reason == Code::kCancelled ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR);
}

void ServerStream::OnClose(std::uint32_t /*error*/) {
  static const std::string kGone;
  peer_ = &kGone;
  closed_ = true;
  closing_ = true;  // whoever is woken may release the stream
  if (!finished_) Wake(close_waiter_);
  Wake(read_waiter_);
  Wake(write_waiter_);
  closing_ = false;
  if (acceptor_ == nullptr || !opened_) Recycle();
}

void ServerStream::Release() {
  read_waiter_ = write_waiter_ = close_waiter_ = nullptr;
  acceptor_ = nullptr;
  if (!closed_ && !finished_) Reset(Code::kCancelled);
  if (closed_ && !closing_) Recycle();
}

void ServerStream::Recycle() {
  ResetStream();
  head_.Clear();
  reader_.Clear();
  refused_ = Ok();
  status_ = Ok();
  metadata_.Clear();
  trailers_.Clear();
  header_bytes_ = 0;
  method_.clear();
  message_form_ = MessageForm::kText;
  opened_ = remote_ended_ = head_sent_ = finished_ = closed_ = false;
  takes_gzip_ = compress_ = unknown_encoding_ = false;
  read_waiter_ = write_waiter_ = close_waiter_ = nullptr;
  Recycler<ServerStream>::Put(std::unique_ptr<ServerStream>(this));
}

}  // namespace micro::grpc
