#pragma once

#include <memory>
#include <string>
#include <vector>

#include "micro/error.h"
#include "micro/handler.h"
#include "micro/health.h"
#include "micro/middleware.h"
#include "micro/registry.h"

namespace micro {

/// What a Server is made of; a Service makes its own.
struct ServerParts;

/// Serves handlers on an address. A Service holds one and registers it.
class Server {
 public:
  explicit Server(ServerParts parts);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Serves `handler`. ALREADY_EXISTS when a method of it is served already. Before Start only.
  Status Handle(std::shared_ptr<Handler> handler);
  /// Puts `middleware` around every call, inside what is there already. Before Start only.
  void Use(Middleware middleware);

  /// Begins to listen.
  Status Start();
  /// Says by health() that nothing serves here any more; calls are still taken. Stop says so too.
  void Leave();
  /// Takes no more calls, waits up to `grace` for those under way, then cancels them. False when
  /// handlers still run after that, because they do not heed their cancellation.
  bool Stop(Duration grace);

  /// What is told of this server's health.
  Health& health();
  /// "host:port" as bound; after Start.
  std::string address() const;
  /// What a registry shows of the handlers, sorted by name.
  std::vector<Endpoint> endpoints() const;

 private:
  class Pipeline;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace micro
