#include "codec/json/json.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

namespace micro {
namespace {

namespace util = google::protobuf::util;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

util::JsonPrintOptions PrintOptions() {
  util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  return options;
}

}  // namespace

Status JsonCodec::Encode(const google::protobuf::Message& message, std::string& out) const {
  std::string json;
  const auto status = util::MessageToJsonString(message, &json, PrintOptions());
  if (!status.ok()) {
    return Internal(message.GetTypeName() + " cannot be written as JSON: " + status.ToString());
  }
  out += json;
  return Ok();
}

Status JsonCodec::Decode(std::string_view bytes, google::protobuf::Message& message) const {
  message.Clear();
  const std::string_view text = Trim(bytes);
  if (text.empty() || text == "null") return Ok();
  const auto status =
      util::JsonStringToMessage(google::protobuf::StringPiece(text.data(), text.size()), &message);
  if (status.ok()) return Ok();
  return InvalidArgument("the text is no " + message.GetTypeName() +
                         " in JSON: " + std::string(status.message()));
}

}  // namespace micro
