#pragma once

#include <memory>

#include "micro/transport.h"

namespace micro {

/// gRPC over HTTP/2, the default transport: h2c with prior knowledge.
Result<std::shared_ptr<Transport>> MakeGrpcTransport(const TransportConfig& config);

}  // namespace micro
