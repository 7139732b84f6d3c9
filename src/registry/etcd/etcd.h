#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/plugins.h"
#include "micro/registry.h"

namespace micro {

/// A registry in etcd, by its v3 API, spoken over the transport that `make_transport` makes. Keys
/// and values are go-micro v2's.
///
/// Each address is `host`, `host:port`, or one of these behind `https://`; the port is 2379 unless
/// it is said. They are servers of one cluster: one is used at a time, and another when that one
/// is gone or hangs. Without any: 127.0.0.1:2379. User and password are those of the environment's
/// ETCD_USERNAME and ETCD_PASSWORD where `config` has none. INVALID_ARGUMENT with
/// Phase::kConfigure for what is no address, and for TLS files that cannot be used.
///
/// Nothing is done before it is used, and etcd need not be there: what is registered and watched
/// while it is away is put and told when it is back. UNAVAILABLE says that it is away;
/// DEADLINE_EXCEEDED, that it did not answer within `config.timeout`.
///
/// A TTL is kept to the second, and etcd has a shortest one of its own, about 2 s.
Result<std::shared_ptr<Registry>> MakeEtcdRegistry(const RegistryConfig& config,
                                                   const TransportFactory& make_transport);

}  // namespace micro
