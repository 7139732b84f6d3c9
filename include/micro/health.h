#pragma once

#include <optional>
#include <string_view>

namespace micro {

/// What a server tells those who ask after its health: probes, balancers and other services, by
/// grpc.health.v1 and `GET /healthz`. Thread-safe.
///
///     service.health().Set("orders.db", connected);
///
/// The empty name stands for the whole server. It and the full name of every handler are known from
/// the start, and serve while the server runs; from the moment it begins to stop nothing does,
/// whatever was set.
class Health {
 public:
  /// Says whether `service` serves: a handler's name, the empty one, or any name of your own.
  virtual void Set(std::string_view service, bool serving) = 0;
  /// What is told of `service`; nothing when the name is not known.
  virtual std::optional<bool> Get(std::string_view service) const = 0;

 protected:
  ~Health() = default;
};

}  // namespace micro
