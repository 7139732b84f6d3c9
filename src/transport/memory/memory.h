#pragma once

#include <memory>

#include "micro/transport.h"

namespace micro {

namespace memory {

/// The addresses that are listened on, for all transports that share it.
class Network;

}  // namespace memory

std::shared_ptr<memory::Network> MakeMemoryNetwork();

/// Calls within the process, for tests and for services that live together: addresses are
/// "memory:N", seen by the transports of the same network. Each end of a call runs on its own
/// side's loops.
Result<std::shared_ptr<Transport>> MakeMemoryTransport(std::shared_ptr<memory::Network> network,
                                                       const TransportConfig& config);

}  // namespace micro
