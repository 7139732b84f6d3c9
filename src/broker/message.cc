#include "broker/message.h"

#include "base/utf8.h"
#include "broker/topic.h"

namespace micro::broker {

Status Check(std::string_view topic, const RawMessage& message) {
  if (Status checked = CheckTopic(topic); !checked) return checked;
  for (const auto& [key, value] : message.metadata) {
    if (IsUtf8(key) && IsUtf8(value)) continue;
    return InvalidArgument("the metadata of a message is UTF-8, and a value is not: " +
                           std::string(IsUtf8(key) ? key : "its key"));
  }
  return Ok();
}

Failure Disconnected() { return FailedPrecondition("the broker was disconnected"); }

}  // namespace micro::broker
