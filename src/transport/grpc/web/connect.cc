#include "transport/grpc/web/connect.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "micro/handler.h"

#include "base/content_type.h"
#include "base/gzip.h"
#include "transport/grpc/status_details.h"
#include "transport/grpc/web/cors.h"
#include "transport/grpc/wire.h"

namespace micro::web {
namespace {

constexpr std::string_view kApplication = "application/";
constexpr std::string_view kGzip = "gzip";
// Shorter messages do not get shorter by compression, or not by much.
constexpr std::size_t kWorthGzip = 1024;

// Whether a list such as "br, gzip;q=0.5" takes gzip.
bool TakesGzip(std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    if (!item.starts_with(kGzip)) continue;
    item.remove_prefix(kGzip.size());
    return item.find_first_not_of(";q=0. ") != std::string_view::npos || item.empty();
  }
  return false;
}

// Milliseconds: one to ten digits.
Status TakeTimeout(Request& request) {
  const auto text = request.head.metadata.Get("connect-timeout-ms");
  if (!text) return Ok();
  constexpr std::size_t kMostDigits = 10;
  std::int64_t count = 0;
  const char* end = text->data() + text->size();
  const bool number = std::from_chars(text->data(), end, count).ptr == end && !text->empty() &&
                      text->front() != '-' && text->size() <= kMostDigits;
  if (!number) return InvalidArgument("\"" + std::string(*text) + "\" is no Connect-Timeout-Ms");
  const TimePoint now = std::chrono::steady_clock::now();
  request.head.deadline = now + std::chrono::milliseconds(count);
  return Ok();
}

Status CheckVersion(std::string_view version, std::string_view known) {
  if (version.empty() || version == known) return Ok();
  return InvalidArgument("the Connect protocol's version \"" + std::string(version) +
                         "\" is not spoken; known: " + std::string(known));
}

// What a request says of its message.
struct Payload {
  std::string message = {};
  bool from_body = true;
  bool gzip = false;         // it comes so
  bool answer_gzip = false;  // and is answered so
};

// `encoding` is the coding of the message: gzip, identity or nothing.
Result<Payload> ReadPayload(Request& request, std::string_view encoding) {
  if (!encoding.empty() && encoding != "identity" && encoding != kGzip) {
    return Unimplemented("messages compressed by \"" + std::string(encoding) +
                         "\" are not understood; known: gzip, identity");
  }
  Payload payload{.gzip = encoding == kGzip};
  const auto accepted = request.head.metadata.Get("accept-encoding");
  payload.answer_gzip = accepted ? TakesGzip(*accepted) : payload.gzip;
  return payload;
}

class ConnectCall final : public Call {
 public:
  ConnectCall(Port& port, http::Exchange& exchange, Request request, Metadata fields,
              Payload payload)
      : Call(port, exchange, std::move(request), std::move(fields)), payload_(std::move(payload)) {}

 private:
  void SetCompression(Compression compression) override {
    asked_ = compression == Compression::kGzip;
  }

  std::size_t most_body() const override { return port().limits.max_message; }
  bool ready() const override { return ready_; }

  Status TakeBody(std::string_view bytes) override {
    if (payload_.from_body) payload_.message += bytes;
    return Ok();
  }

  Status TakeEnd() override {
    ready_ = true;
    if (!payload_.gzip || payload_.message.empty()) return Ok();
    auto message = Gunzip(payload_.message, port().limits.max_message);
    if (!message) return Failure(message.error());
    payload_.message = *std::move(message);
    return Ok();
  }

  void TakeMessage(std::string& message) override {
    std::swap(message, payload_.message);
    ready_ = false;
  }

  void SendMessage(std::string& message) override {
    ++answers_;
    std::swap(answer_, message);
  }

  void SendEnd(const Status& status, const Metadata& trailers) override {
    AddMetadata(metadata(), "", fields());
    AddMetadata(trailers, "trailer-", fields());
    if (!status) return AnswerError(exchange(), std::move(fields()), status.error());
    if (answers_ != 1) {
      const Error error(Code::kInternal,
                        "a unary call was answered by " + std::to_string(answers_) + " messages");
      return AnswerError(exchange(), std::move(fields()), error);
    }
    SendAnswer();
  }

  void SendAnswer() {
    // The server says by it in what the message is encoded.
    const std::string_view label = head().content_type;
    fields().Add("content-type",
                 std::string(kApplication).append(label.substr(label.find('+') + 1)));
    answer_.erase(0, transport::kHeadroom);
    if (payload_.answer_gzip && (asked_ || answer_.size() >= kWorthGzip)) {
      std::string compressed;
      Gzip(answer_, compressed);
      std::swap(answer_, compressed);
      fields().Add("content-encoding", kGzip);
    }
    ExposeFields(fields());
    http::Answer(exchange(), 200, fields(), std::move(answer_));
  }

  Payload payload_;
  bool ready_ = false;
  bool asked_ = false;  // the handler wants the answer compressed, be it short
  std::string answer_;
  int answers_ = 0;
};

// What of the head is wrong, beside its message.
Status CheckHead(Request& request) {
  if (!request.status) return request.status;
  const auto version = request.head.metadata.Get("connect-protocol-version");
  if (Status checked = CheckVersion(version.value_or(""), "1"); !checked) return checked;
  return TakeTimeout(request);
}

// As the body says, if it is honest.
Status CheckLength(const Request& request, std::size_t most) {
  const auto text = request.head.metadata.Get("content-length");
  std::uint64_t length = 0;
  if (!text) return Ok();
  std::from_chars(text->data(), text->data() + text->size(), length);
  if (length <= most) return Ok();
  return ResourceExhausted("a request of " + std::string(*text) + " bytes is over the limit of " +
                           std::to_string(most) + " (--max_message_size)");
}

// Base64 in either alphabet.
std::optional<std::string> DecodeUrlBase64(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  std::replace(text.begin(), text.end(), ' ', '+');  // as a plus in a query is read
  return grpc::Base64Decode(text);
}

Result<Payload> ReadQuery(Request& request) {
  const std::string& query = request.query;
  if (Status head = CheckHead(request); !head) return Failure(head.error());
  const auto version = Parameter(query, "connect").value_or("");
  if (Status checked = CheckVersion(version, "v1"); !checked) return Failure(checked.error());
  auto payload = ReadPayload(request, Parameter(query, "compression").value_or(""));
  if (!payload) return payload;
  auto message = Parameter(query, "message");
  if (!message) return InvalidArgument("the query has no message");
  if (Parameter(query, "base64") == "1") {
    message = DecodeUrlBase64(*std::move(message));
    if (!message) return InvalidArgument("the query's message is no base64");
  }
  payload->message = *std::move(message);
  payload->from_body = false;
  return payload;
}

void Open(Port& port, http::Exchange& exchange, Request request, Metadata fields, Payload payload) {
  auto* call =
      new ConnectCall(port, exchange, std::move(request), std::move(fields), std::move(payload));
  call->Open(Ok());
}

Failure NotUnary(std::string_view path) {
  return Unimplemented(std::string(path) +
                       " is a streaming method: it is served over gRPC and gRPC-Web");
}

}  // namespace

bool IsConnect(std::string_view content_type) {
  const std::string plain = PlainContentType(content_type);
  return plain == "application/json" || plain == "application/proto";
}

void ServeConnect(Port& port, http::Exchange& exchange, Request request, Metadata fields) {
  const auto refuse = [&](const Error& error) { AnswerError(exchange, std::move(fields), error); };
  const MethodInfo* method = port.acceptor.FindMethod(request.head.path);
  if (method == nullptr) {
    return AnswerError(exchange, std::move(fields), Unserved(request.head.path), 404);
  }
  if (method->kind != MethodKind::kUnary) return refuse(NotUnary(request.head.path).error());
  if (Status head = CheckHead(request); !head) return refuse(head.error());
  if (Status length = CheckLength(request, port.limits.max_message); !length) {
    return refuse(length.error());
  }
  const std::string encoding(request.head.metadata.Get("content-encoding").value_or(""));
  auto payload = ReadPayload(request, encoding);
  if (!payload) return refuse(payload.error());
  request.head.content_type =
      "application/grpc+" + PlainContentType(request.head.content_type).substr(kApplication.size());
  if (payload->gzip) request.head.compression = Compression::kGzip;
  Open(port, exchange, std::move(request), std::move(fields), *std::move(payload));
}

void ServeConnectGet(Port& port, http::Exchange& exchange, Request request, Metadata fields) {
  const std::string encoding = Parameter(request.query, "encoding").value_or("");
  const std::string content_type = std::string(kApplication) + encoding;
  if (!IsConnect(content_type)) {
    return AnswerError(exchange, std::move(fields),
                       Error(Code::kUnimplemented,
                             "the encoding \"" + encoding + "\" is not known; known: json, proto"),
                       415);
  }
  auto payload = ReadQuery(request);
  if (!payload) return AnswerError(exchange, std::move(fields), payload.error());
  request.head.safe = true;
  request.head.content_type = "application/grpc+" + encoding;
  Open(port, exchange, std::move(request), std::move(fields), *std::move(payload));
}

Error Unserved(std::string_view path) {
  return {Code::kUnimplemented, std::string(path) + " is not served here"};
}

void AnswerError(http::Exchange& exchange, Metadata fields, const Error& error, int status) {
  fields.Add("content-type", "application/json");
  ExposeFields(fields);
  http::Answer(exchange, status != 0 ? status : ConnectStatus(error.code()), fields,
               ConnectJson(error));
}

std::string ConnectJson(const Error& error) {
  nlohmann::ordered_json object;
  object["code"] = ConnectName(error.code());
  if (!error.detail().empty()) object["message"] = error.detail();
  const auto add = [&object](std::string_view type, std::string_view value) {
    nlohmann::ordered_json detail;
    detail["type"] = type;
    detail["value"] = grpc::Base64Encode(value);
    object["details"].push_back(std::move(detail));
  };
  add(grpc::kErrorName, grpc::EncodeError(error));
  for (const auto& [type, value] : error.details()) {
    add(std::string_view(type).substr(type.rfind('/') + 1), value);  // npos + 1 is 0
  }
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string ConnectName(Code code) {
  if (code == Code::kCancelled) return "canceled";
  std::string name(ToString(code));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

int ConnectStatus(Code code) {
  switch (code) {
    case Code::kCancelled:
      return 499;
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
      return 400;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kAborted:
      return 409;
    case Code::kPermissionDenied:
      return 403;
    case Code::kResourceExhausted:
      return 429;
    case Code::kUnimplemented:
      return 501;
    case Code::kUnavailable:
      return 503;
    case Code::kUnauthenticated:
      return 401;
    default:
      return 500;
  }
}

}  // namespace micro::web
