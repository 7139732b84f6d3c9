#pragma once

#include <memory>

#include "micro/broker.h"
#include "micro/error.h"

namespace micro {

/// The default broker: a NATS server within this process, meshed by routes with those of the other
/// programs that the registry shows, go-micro v2.0 to v2.4 among them. Nothing is started before it
/// is used, and no message between parts of this program goes over a socket.
///
/// Its address is where the other servers reach ours, ":0" (any interface, any port) by default:
/// without `secret` whoever reaches it may join.
Result<std::shared_ptr<Broker>> MakeEmbeddedBroker(const BrokerConfig& config);

}  // namespace micro
