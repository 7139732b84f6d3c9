#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/registry.h"

namespace micro {

/// The default registry: multicast DNS in go-micro's format (v2.2.0 to v2.9.1), without any server.
///
/// An address names an interface, by its name ("eth0") or by an address of it ("127.0.0.1", which
/// works on a machine with nothing but lo); default is every interface that is up and carries
/// multicast, and lo. Nodes need a literal IP and a port. What nodes are announced as lives as long
/// as the registry, or the TTL they were registered with.
///
/// A lookup takes a few milliseconds when there is an answer, 100 ms when there is none. A watch
/// tells kCreate (also for a change) and kDelete, each with one node; it tells kDelete also of a
/// node that was announced to it, or found by a lookup, and lets its TTL run out without an answer
/// to four questions (RFC 6762, 5.2): that is how a crash shows, within two minutes.
///
/// Anybody on the link may send anything. What cannot be read is passed over and counted in
/// `micro_registry_bad_records_total`.
Result<std::shared_ptr<Registry>> MakeMdnsRegistry(const RegistryConfig& config);

}  // namespace micro
