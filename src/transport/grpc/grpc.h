#pragma once

#include <memory>

#include "micro/transport.h"

namespace micro {

/// gRPC over HTTP/2, the default transport: within TLS, or with prior knowledge. INVALID_ARGUMENT
/// with Phase::kConfigure, in one sentence, for TLS files that cannot be used.
Result<std::shared_ptr<Transport>> MakeGrpcTransport(const TransportConfig& config);

}  // namespace micro
