#pragma once

#include <memory>
#include <string>
#include <vector>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/task.h"

#include "net/link.h"
#include "net/tls_context.h"

namespace micro::net {

/// Connects to an address of ParseTarget's, on the loop it is awaited on; `tls` null: without TLS.
/// UNAVAILABLE with Phase::kConnect, saying why, when that fails; looking the name up, connecting
/// and TLS's handshake take no longer than `timeout` together.
Task<Result<std::unique_ptr<Link>>> Dial(std::string address, Duration timeout,
                                         std::shared_ptr<TlsContext> tls = nullptr);

/// Connects to the first of `endpoints` that answers: they are tried in turn, the next one when
/// those before it have failed or said nothing for 250 ms (RFC 8305). Not started after `until`.
Task<Result<std::unique_ptr<Link>>> ConnectToFirst(std::vector<Socket::endpoint_type> endpoints,
                                                   TimePoint until);

/// Puts endpoints of the two families of IP in turn, the first one's family first.
std::vector<Socket::endpoint_type> Interleave(std::vector<Socket::endpoint_type> endpoints);

}  // namespace micro::net
