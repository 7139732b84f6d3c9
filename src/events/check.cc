#include "events/check.h"

#include <algorithm>

#include "broker/message.h"
#include "broker/topic.h"

namespace micro::events {
namespace {

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxId = 256;
constexpr std::size_t kMostUnanswered = 100'000;
constexpr std::chrono::hours kLongestWait{24};

bool IsPlain(char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; }
bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// Metadata travels as NATS's headers, which are lines.
Status CheckMetadata(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (key.empty() || !std::ranges::all_of(key, IsWord)) {
      return InvalidArgument("a key in the metadata of an event is not of letters, digits and '-'");
    }
    if (key.starts_with("nats-"))
      return InvalidArgument("the key " + std::string(key) + " is for the store");
    if (!std::ranges::all_of(value, IsPlain))
      return InvalidArgument("the value of " + std::string(key) + " has a line break in it");
  }
  return Ok();
}

}  // namespace

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, IsWord);
}

Status Check(std::string_view topic, const RawMessage& message, const AppendOptions& options) {
  if (Status checked = broker::Check(topic, message); !checked) return checked;
  if (Status checked = CheckMetadata(message.metadata); !checked) return checked;
  if (options.id.size() > kMaxId || !std::ranges::all_of(options.id, IsPlain))
    return InvalidArgument("the id of an event has a line break in it, or is too long");
  return Ok();
}

Status Check(const std::string& topic, const ConsumeOptions& options) {
  if (Status checked = broker::CheckFilter({.topic = topic}); !checked) return checked;
  if (!options.group.empty() && !IsName(options.group)) {
    return InvalidArgument("the group of consumers of \"" + topic +
                           "\" is not of letters, digits, '-' and '_'");
  }
  if (options.ack_wait <= Duration::zero() || options.ack_wait > kLongestWait)
    return InvalidArgument("ack_wait must be more than zero, and a day at the most");
  if (options.max_unanswered < 1 || options.max_unanswered > kMostUnanswered) {
    return InvalidArgument("max_unanswered is not between 1 and " +
                           std::to_string(kMostUnanswered));
  }
  return Ok();
}

}  // namespace micro::events
