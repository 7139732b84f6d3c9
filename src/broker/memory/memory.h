#pragma once

#include <memory>

#include "micro/broker.h"
#include "micro/error.h"

namespace micro {

/// What the memory brokers of one program have in common.
class MemoryBus;
std::shared_ptr<MemoryBus> MakeMemoryBus();

/// A broker within this process, for tests and for programs whose messages never leave it. Carries
/// messages between all that are made on the same bus, in the publisher's thread. Takes no address.
Result<std::shared_ptr<Broker>> MakeMemoryBroker(std::shared_ptr<MemoryBus> bus,
                                                 const BrokerConfig& config);

}  // namespace micro
