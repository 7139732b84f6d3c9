#pragma once

#include <string_view>

#include "micro/broker.h"
#include "micro/error.h"

namespace micro::broker {

/// NATS's limit for a whole line is 4096 bytes, and 2048 in go-micro's embedded server.
inline constexpr std::size_t kMaxTopic = 1024;
inline constexpr std::size_t kMaxQueue = 256;

/// Whether messages can be published on `topic`; INVALID_ARGUMENT says why not.
Status CheckTopic(std::string_view topic);

/// Whether one can subscribe to this; INVALID_ARGUMENT says why not.
Status CheckFilter(const TopicFilter& filter);

/// Whether `pattern` stands for more topics than itself.
bool IsPattern(std::string_view pattern);

/// Whether `pattern` takes in `topic`; both are valid.
bool Matches(std::string_view pattern, std::string_view topic);

}  // namespace micro::broker
