#include "transport/grpc/web/grpc_web.h"

#include <string>
#include <utility>

#include "transport/grpc/fields.h"
#include "transport/grpc/message_reader.h"
#include "transport/grpc/status_details.h"
#include "transport/grpc/web/base64_stream.h"
#include "transport/grpc/web/cors.h"
#include "transport/grpc/wire.h"

namespace micro::web {
namespace {

constexpr std::string_view kType = "application/grpc-web";
constexpr std::string_view kTextType = "application/grpc-web-text";
constexpr char kTrailerFlag = '\x80';

bool IsText(std::string_view content_type) { return content_type.starts_with(kTextType); }

// "application/grpc-web+json" to the server is what "application/grpc+json" is.
std::string Label(std::string_view content_type) {
  content_type.remove_prefix(IsText(content_type) ? kTextType.size() : kType.size());
  return "application/grpc" + std::string(content_type);
}

void AddLine(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

class GrpcWebCall final : public Call {
 public:
  GrpcWebCall(Port& port, http::Exchange& exchange, Request request, Metadata fields,
              std::string content_type)
      : Call(port, exchange, std::move(request), std::move(fields)),
        content_type_(std::move(content_type)),
        text_(IsText(content_type_)),
        reader_(port.limits.max_message) {}

 private:
  // One message and its prefix: requests do not stream.
  std::size_t most_body() const override {
    const std::size_t size = port().limits.max_message + transport::kHeadroom;
    return text_ ? (size + 2) / 3 * 4 : size;
  }

  Status TakeBody(std::string_view bytes) override {
    if (!text_) return reader_.Append(bytes);
    const auto decoded = base64_.Decode(bytes);
    if (!decoded) return InvalidArgument("the request is no base64");
    return reader_.Append(*decoded);
  }

  Status TakeEnd() override {
    if (!broken_) return broken_;
    if (base64_.within() || reader_.within()) {
      return Internal("the call ended within a message");
    }
    return Ok();
  }

  bool ready() const override { return reader_.ready(); }

  // What is wrong with the next message is for the request's end.
  void TakeMessage(std::string& message) override { broken_ = reader_.Take(message); }

  void SendMessage(std::string& message) override {
    SendHead();
    grpc::WritePrefix(message);
    SendBytes(message);
  }

  void SendEnd(const Status& status, const Metadata& trailers) override {
    SendHead();
    std::string frame = Trailers(status, trailers);
    grpc::WritePrefix(frame);
    frame[0] = kTrailerFlag;
    SendBytes(frame);
    exchange().End();
  }

  void SendHead() {
    if (std::exchange(head_sent_, true)) return;
    AddMetadata(metadata(), "", fields());
    fields().Add("content-type", content_type_);
    ExposeFields(fields());
    exchange().SendHead(200, fields(), std::nullopt);
  }

  void SendBytes(std::string& bytes) {
    if (!text_) return exchange().Send(bytes);
    std::string text = grpc::Base64Encode(bytes);
    text.append((4 - text.size() % 4) % 4, '=');
    exchange().Send(text);
  }

  static std::string Trailers(const Status& status, const Metadata& trailers) {
    std::string lines(transport::kHeadroom, '\0');
    const auto code = status ? Code::kOk : status.error().code();
    AddLine("grpc-status", std::to_string(static_cast<int>(code)), lines);
    if (!status) {
      const std::string text = grpc::ErrorText(status.error());
      AddLine("grpc-message", grpc::PercentEncode(text), lines);
      AddLine("grpc-status-details-bin",
              grpc::Base64Encode(grpc::ErrorDetails(status.error(), text)), lines);
    }
    Metadata fields;
    AddMetadata(trailers, "", fields);
    for (const auto& [name, value] : fields) AddLine(name, value, lines);
    return lines;
  }

  const std::string content_type_;
  const bool text_;
  grpc::MessageReader reader_;
  Base64Stream base64_;
  Status broken_;
  bool head_sent_ = false;
};

}  // namespace

bool IsGrpcWeb(std::string_view content_type) {
  if (!content_type.starts_with(kType)) return false;
  content_type.remove_prefix(IsText(content_type) ? kTextType.size() : kType.size());
  return content_type.empty() || content_type.starts_with('+') || content_type.starts_with(';');
}

void ServeGrpcWeb(Port& port, http::Exchange& exchange, Request request, Metadata fields) {
  std::string content_type = std::exchange(request.head.content_type, {});
  request.head.content_type = Label(content_type);
  const Status status = request.status;
  auto* call = new GrpcWebCall(port, exchange, std::move(request), std::move(fields),
                               std::move(content_type));
  call->Open(status);
}

}  // namespace micro::web
