#include "transport/grpc/client_stream.h"

#include <charconv>
#include <utility>

#include "net/target.h"
#include "transport/grpc/fields.h"
#include "transport/grpc/status_details.h"
#include "transport/grpc/waiting.h"
#include "transport/grpc/wire.h"

namespace micro::grpc {
namespace {

// Names may have been pushed out of the compression table meanwhile.
constexpr std::uint32_t kTeachEvery = 1024;

int ToNumber(std::string_view text) {
  int number = -1;
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end ? number : -1;
}

// grpc/doc/http-grpc-status-mapping.md
Code FromHttpStatus(int status) {
  switch (status) {
    case 400:
      return Code::kInternal;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

// grpc/doc/PROTOCOL-HTTP2.md, "Errors"
Code FromHttp2Error(std::uint32_t error) {
  switch (error) {
    case http2::kConnectionLost:
    case NGHTTP2_REFUSED_STREAM:
      return Code::kUnavailable;
    case NGHTTP2_CANCEL:
      return Code::kCancelled;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return Code::kResourceExhausted;
    case NGHTTP2_INADEQUATE_SECURITY:
      return Code::kPermissionDenied;
    default:
      return Code::kInternal;
  }
}

std::string Describe(std::uint32_t error, std::string_view why) {
  std::string text = "the connection was lost";
  if (error != http2::kConnectionLost) {
    text = "the stream was reset (" + std::string(nghttp2_http2_strerror(error)) + ")";
  }
  return why.empty() ? text : text + ": " + std::string(why);
}

}  // namespace

ClientStream::ClientStream(const transport::Limits& limits)
    : limits_(limits), reader_(limits.max_message) {}

void ClientStream::Open(http2::Session& session, const transport::CallHead& head) {
  Fields& fields = Fields::Scratch();
  if (session.submitted() % kTeachEvery == 0) fields.TeachNames();
  fields.Static(":method", "POST");
  fields.Static(":scheme", session.secure() ? "https" : "http");
  fields.Add(":path", head.path);
  fields.Add(":authority", net::AuthorityOf(head.authority));
  fields.Static("te", "trailers");
  fields.Add("content-type", head.content_type);
  fields.Static("user-agent", "micro-cpp/0.1");
  fields.Static("grpc-accept-encoding", "identity,gzip");
  compress_ = head.compression == Compression::kGzip;
  if (compress_) fields.Static("grpc-encoding", "gzip");
  deadline_ = head.deadline;
  if (head.deadline) {
    const Duration left = *head.deadline - std::chrono::steady_clock::now();
    fields.AddUnique("grpc-timeout", EncodeTimeout(left));
  }
  fields.Add(head.metadata);
  if (!session.SubmitRequest(*this, fields.span())) OnClose(NGHTTP2_REFUSED_STREAM);
}

bool ClientStream::OnHeader(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size() + kHeaderCost;
  if (header_bytes_ <= limits_.max_metadata) TakeField(name, value);
  return header_bytes_ <= limits_.max_metadata * kHeaderBomb;
}

void ClientStream::TakeField(std::string_view name, std::string_view value) {
  if (name == ":status") {
    http_status_ = ToNumber(value);
  } else if (name == "content-type") {
    content_type_ = value;
  } else if (name == "grpc-status") {
    const int code = ToNumber(value);
    has_grpc_status_ = true;
    grpc_status_ = code >= 0 && code <= 16 ? static_cast<Code>(code) : Code::kUnknown;
  } else if (name == "grpc-message") {
    grpc_message_ = PercentDecode(value);
  } else if (name == "grpc-retry-pushback-ms") {
    pushback_ = ToNumber(value);
  } else if (name == "grpc-encoding") {
    if (value == "gzip") {
      compression_ = Compression::kGzip;
      reader_.set_compression(compression_);
    } else if (value != "identity") {
      unknown_encoding_ = value;
    }
  } else if (name == "grpc-status-details-bin") {
    details_ = Base64Decode(value).value_or("");
  } else if (!IsReserved(name)) {
    AddField(block_, name, value);
  }
}

void ClientStream::OnHeaders(bool end_of_stream) {
  if (header_bytes_ > limits_.max_metadata) {
    return Fail(ResourceExhausted("the answer's metadata is over the limit (--max_metadata_size)"));
  }
  if (!has_head_ && http_status_ >= 100 && http_status_ < 200) return block_.Clear();
  if (end_of_stream) {
    trailers_ = std::exchange(block_, {});
  } else {
    metadata_ = std::exchange(block_, {});
    if (!std::exchange(has_head_, true)) return CheckHead();
  }
  has_head_ = true;
}

void ClientStream::CheckHead() {
  if (http_status_ != 200) {
    Fail(Fails(FromHttpStatus(http_status_),
               "the answer has HTTP status " + std::to_string(http_status_)));
  } else if (!content_type_.starts_with("application/grpc")) {
    Fail(Unknown("the answer has content type \"" + content_type_ + "\", which is not gRPC"));
  } else if (!unknown_encoding_.empty()) {
    Fail(Internal("the answer is compressed by " + unknown_encoding_ + ", which was not offered"));
  }
}

void ClientStream::OnData(std::string_view bytes) {
  if (ended_) return Consume(bytes.size());
  const std::size_t before = reader_.waiting();
  if (Status got = reader_.Append(bytes); !got) return Fail(std::move(got));
  Consume(bytes.size() + before - reader_.waiting());
  if (reader_.ready()) Wake(read_waiter_);
}

void ClientStream::Consume(std::size_t bytes) {
  if (session() != nullptr && bytes > 0) session()->Consume(*this, bytes);
}

transport::Read ClientStream::TryRead(std::string& message) {
  if (!reader_.ready()) return ended_ ? transport::Read::kEnd : transport::Read::kPending;
  const std::size_t before = reader_.waiting();
  Status next = reader_.Take(message);
  Consume(before - reader_.waiting());
  if (!next) Fail(std::move(next));
  return transport::Read::kMessage;
}

void ClientStream::Write(std::string& message) {
  if (session() == nullptr) return;
  if (Status fits = CheckSendable(message.size() - transport::kHeadroom, limits_); !fits) {
    return Fail(std::move(fits), Phase::kSend);
  }
  compress_ ? WriteCompressed(message) : WritePrefix(message);
  Send(message);
}

bool ClientStream::writable() const { return ended_ || unsent() < kHighWater; }

void ClientStream::OnDrained() { Wake(write_waiter_); }

// How the call ended, by what the answer says.
Status ClientStream::Outcome() const {
  if (has_grpc_status_ && grpc_status_ == Code::kOk) {
    return reader_.within() ? Internal("the answer ended within a message") : Ok();
  }
  if (has_grpc_status_) {
    Error error = ReadError(grpc_status_, grpc_message_, details_).set_phase(Phase::kRemote);
    if (pushback_ >= 0) error.set_retry_after(std::chrono::milliseconds(pushback_));
    return Fails(std::move(error));
  }
  if (http_status_ != 200) {
    return Fails(FromHttpStatus(http_status_),
                 "the answer has HTTP status " + std::to_string(http_status_));
  }
  return Internal("the answer ended without a grpc-status");
}

void ClientStream::OnEnd() {
  if (!ended_) End(Outcome());
}

void ClientStream::Fail(Status why, Phase phase) {
  if (ended_) return;
  if (!why) why.error().set_phase(phase);
  if (session() != nullptr) session()->Reset(*this, NGHTTP2_CANCEL);
  End(std::move(why));
}

void ClientStream::End(Status status) {
  ended_ = true;
  status_ = std::move(status);
  ++held_;
  Wake(read_waiter_);
  Wake(write_waiter_);
  LetGo();
}

void ClientStream::OnClose(std::uint32_t error) {
  closed_ = true;
  ++held_;
  unprocessed_ = error == NGHTTP2_REFUSED_STREAM;
  if (!ended_) End(Fails(Broken(error).set_phase(Phase::kSend)));
  LetGo();
}

// Servers reset calls whose deadline has passed; they may notice before our own timer does.
Error ClientStream::Broken(std::uint32_t error) const {
  if (error == NGHTTP2_CANCEL && deadline_ && *deadline_ <= std::chrono::steady_clock::now()) {
    return {Code::kDeadlineExceeded, "the call's deadline passed, as the other side noticed first"};
  }
  return {FromHttp2Error(error), Describe(error, why())};
}

void ClientStream::LetGo() {
  if (--held_ == 0 && closed_ && released_) delete this;
}

void ClientStream::Reset(Code reason) {
  if (session() == nullptr) return;
  session()->Reset(*this, reason == Code::kInternal ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL);
}

void ClientStream::Release() {
  read_waiter_ = write_waiter_ = nullptr;
  released_ = true;
  if (!closed_ && !ended_) Reset(Code::kCancelled);
  if (closed_ && held_ == 0) delete this;
}

}  // namespace micro::grpc
