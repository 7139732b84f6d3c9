#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/registry.h"

namespace micro {

/// A registry that reads DNS, such as the records Kubernetes keeps of a headless service.
///
/// A service is called by its name in DNS: "greeter.prod.svc:8080" has the A (else AAAA) records of
/// the host, all on that port; without a port, the SRV records of `_grpc._tcp.` and the name say
/// hosts and ports, or those of the name itself where it begins with an underscore. Of several
/// priorities the first is used; weights become the nodes'.
///
/// Each address is a nameserver, `10.0.0.10` or `10.0.0.10:53`, in place of those of
/// /etc/resolv.conf, or `service=NAME`, what to look up for a service that is called otherwise.
/// Search domains, ndots, timeout and attempts are resolv.conf's. INVALID_ARGUMENT with
/// Phase::kConfigure for anything else.
///
/// Registering does nothing, successfully: somebody else publishes. NOT_FOUND when DNS says that
/// there is nothing, UNAVAILABLE when no server answers or all fail (SERVFAIL). A watch looks again
/// when the records' TTL has run out, at least once a minute; it goes on with what it knows while
/// no server answers, and believes that all nodes are gone when it has been told so twice.
Result<std::shared_ptr<Registry>> MakeDnsRegistry(const RegistryConfig& config);

}  // namespace micro
