#include "transport/grpc/status_details.h"

#include <algorithm>
#include <optional>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <nlohmann/json.hpp>

#include "transport/grpc/reason.h"

// The few messages are read and written by field number: linking their .proto files in would clash
// with a user's own copies of google/rpc/status.proto.
namespace micro::grpc {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

constexpr std::string_view kErrorType = "type.googleapis.com/errors.Error";

constexpr std::uint32_t Tag(std::uint32_t field, std::uint32_t wire_type) {
  return field << 3U | wire_type;
}
constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kBytes = 2;

void PutBytes(CodedOutputStream& out, std::uint32_t field, std::string_view bytes) {
  if (bytes.empty()) return;
  out.WriteTag(Tag(field, kBytes));
  out.WriteVarint32(static_cast<std::uint32_t>(bytes.size()));
  out.WriteRaw(bytes.data(), static_cast<int>(bytes.size()));
}

void PutNumber(CodedOutputStream& out, std::uint32_t field, int number) {
  if (number == 0) return;
  out.WriteTag(Tag(field, kVarint));
  out.WriteVarint32SignExtended(number);
}

// As protobuf's strings have to be: a Go caller throws away details that are not.
std::string ToUtf8(const std::string& text) {
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::ranges::all_of(text, ascii)) return text;
  const nlohmann::json json(text);
  return nlohmann::json::parse(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .get<std::string>();
}

std::string MakeAny(const ErrorDetail& detail) {
  std::string any;
  StringOutputStream stream(&any);
  CodedOutputStream out(&stream);
  PutBytes(out, 1, detail.type);
  PutBytes(out, 2, detail.value);
  out.Trim();
  return any;
}

// One field of a message: its number, and its bytes or number.
struct FieldValue {
  std::uint32_t field = 0;
  std::uint64_t number = 0;
  std::string_view bytes;
};

// Calls `take` for each varint and bytes field; false for bytes that are no message.
template <typename F>
bool EachField(std::string_view message, F take) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(message.data());
  CodedInputStream in(data, static_cast<int>(message.size()));
  while (const std::uint32_t tag = in.ReadTag()) {
    FieldValue value{.field = tag >> 3U, .bytes = {}};
    std::uint32_t size = 0;
    switch (tag & 7U) {
      case 0:
        if (!in.ReadVarint64(&value.number)) return false;
        break;
      case 1:
        if (!in.Skip(8)) return false;
        continue;
      case 2:
        if (!in.ReadVarint32(&size) || size > message.size()) return false;
        value.bytes = message.substr(static_cast<std::size_t>(in.CurrentPosition()), size);
        if (!in.Skip(static_cast<int>(size))) return false;
        break;
      case 5:
        if (!in.Skip(4)) return false;
        continue;
      default:
        return false;
    }
    take(value);
  }
  return in.ConsumedEntireMessage();
}

std::optional<Error> DecodeError(Code code, std::string_view bytes) {
  std::string id;
  std::string detail;
  int http = 0;
  const bool whole = EachField(bytes, [&](const FieldValue& value) {
    if (value.field == 1) id = value.bytes;
    if (value.field == 2) http = static_cast<int>(value.number);
    if (value.field == 3) detail = value.bytes;
  });
  if (!whole) return std::nullopt;
  return Error::FromWire(code, std::move(id), http, std::move(detail));
}

std::optional<ErrorDetail> ReadAny(std::string_view any) {
  ErrorDetail detail;
  const bool whole = EachField(any, [&](const FieldValue& field) {
    if (field.field == 1) detail.type = field.bytes;
    if (field.field == 2) detail.value = field.bytes;
  });
  return whole ? std::optional(std::move(detail)) : std::nullopt;
}

std::vector<ErrorDetail> ReadDetails(std::string_view status) {
  std::vector<ErrorDetail> details;
  EachField(status, [&](const FieldValue& value) {
    if (value.field != 3) return;
    if (auto detail = ReadAny(value.bytes)) details.push_back(*std::move(detail));
  });
  return details;
}

// Takes the errors.Error out of the details.
std::optional<Error> TakeError(Code code, std::vector<ErrorDetail>& details) {
  for (auto detail = details.begin(); detail != details.end(); ++detail) {
    if (detail->type != kErrorType) continue;
    auto error = DecodeError(code, detail->value);
    if (!error) continue;
    details.erase(detail);
    return error;
  }
  return std::nullopt;
}

std::string TextOf(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

std::optional<Error> FromJson(Code code, std::string_view message) {
  if (!message.starts_with('{')) return std::nullopt;
  const nlohmann::json object = nlohmann::json::parse(message, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  const auto number = object.find("code");
  if (number == object.end() || !number->is_number_integer()) return std::nullopt;
  const auto http = number->get<std::int64_t>();
  if (http <= 0 || http > 999) return std::nullopt;
  return Error::FromWire(code, TextOf(object, "id"), static_cast<int>(http),
                         TextOf(object, "detail"));
}

// Go's encoding/json also escapes what HTML could stumble over.
void EscapeLikeGo(std::string& json) {
  std::string escaped;
  escaped.reserve(json.size());
  for (const char c : json) {
    switch (c) {
      case '<':
        escaped += "\\u003c";
        break;
      case '>':
        escaped += "\\u003e";
        break;
      case '&':
        escaped += "\\u0026";
        break;
      default:
        escaped += c;
    }
  }
  json = std::move(escaped);
}

}  // namespace

std::string EncodeError(const Error& error) {
  std::string bytes;
  StringOutputStream stream(&bytes);
  CodedOutputStream out(&stream);
  PutBytes(out, 1, ToUtf8(error.id()));
  PutNumber(out, 2, error.http_code());
  PutBytes(out, 3, ErrorText(error));
  PutBytes(out, 4, Reason(error.http_code()));
  out.Trim();
  return bytes;
}

std::string ErrorJson(const Error& error) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  const auto add = [&object](const char* name, std::string_view text) {
    if (!text.empty()) object[name] = text;
  };
  add("id", error.id());
  if (error.http_code() != 0) object["code"] = error.http_code();
  add("detail", error.detail());
  add("status", Reason(error.http_code()));
  std::string json = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  EscapeLikeGo(json);
  return json;
}

std::string ErrorText(const Error& error) { return ToUtf8(error.detail()); }

std::string ErrorDetails(const Error& error, const std::string& message) {
  std::string status;
  StringOutputStream stream(&status);
  CodedOutputStream out(&stream);
  PutNumber(out, 1, static_cast<int>(error.code()));
  PutBytes(out, 2, message);
  PutBytes(out, 3, MakeAny({std::string(kErrorType), EncodeError(error)}));
  for (const ErrorDetail& detail : error.details()) PutBytes(out, 3, MakeAny(detail));
  out.Trim();
  return status;
}

Error ReadError(Code code, std::string_view message, std::string_view details) {
  std::vector<ErrorDetail> more = ReadDetails(details);
  auto error = TakeError(code, more);
  if (!error) error = FromJson(code, message);
  if (!error) error.emplace(code, std::string(message));
  for (ErrorDetail& detail : more) error->AddDetail(std::move(detail));
  return *std::move(error);
}

}  // namespace micro::grpc
