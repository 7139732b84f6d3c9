#pragma once

#include <memory>

#include "micro/broker.h"
#include "micro/error.h"

namespace micro {

/// A broker that is a NATS server or cluster, through libnats; go-micro's plugin of that name
/// speaks with it. Its addresses are the servers. While none of them is there messages wait to be
/// sent, up to `max_pending`, and it is tried again for ever.
Result<std::shared_ptr<Broker>> MakeNatsBroker(const BrokerConfig& config);

}  // namespace micro
