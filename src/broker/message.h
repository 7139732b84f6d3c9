#pragma once

#include <string_view>

#include "micro/broker.h"
#include "micro/error.h"

namespace micro::broker {

/// Whether every broker carries this; INVALID_ARGUMENT says why not.
Status Check(std::string_view topic, const RawMessage& message);

/// The error of whoever publishes or subscribes after the broker was disconnected.
Failure Disconnected();

/// Whether nothing is said that is for a broker that is a server of its own: what is set and would
/// be ignored is an error.
Status CheckNoServer(const BrokerConfig& config, std::string_view name);

}  // namespace micro::broker
