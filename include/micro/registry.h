#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "micro/error.h"
#include "micro/logger.h"

namespace micro {

class Metrics;

// The braces after the members let `{.name = "greeter"}` compile without a warning under -Wextra.

/// A message type as a registry describes it: a tree of names, for people and user interfaces.
struct Value {
  std::string name{};
  std::string type{};
  std::vector<Value> values{};

  bool operator==(const Value&) const = default;
};

/// One method, or one subscriber, of a service.
struct Endpoint {
  std::string name{};  ///< "Greeter.Hello"
  Value request{};
  Value response{};
  std::map<std::string, std::string> metadata{};  ///< {"stream": "true"} for streaming methods

  bool operator==(const Endpoint&) const = default;
};

/// One running instance of a service.
struct Node {
  std::string id{};       ///< "<service name>-<server id>"
  std::string address{};  ///< "host:port"; IPv6 as "[addr]:port"
  std::map<std::string, std::string> metadata{};

  bool operator==(const Node&) const = default;
};

/// A service in one version, and the nodes that serve it.
struct ServiceInfo {
  std::string name{};
  std::string version{};
  std::map<std::string, std::string> metadata{};
  std::vector<Endpoint> endpoints{};
  std::vector<Node> nodes{};

  bool operator==(const ServiceInfo&) const = default;
};

struct RegisterOptions {
  /// How long a registration lives unless it is repeated; zero: for ever.
  std::chrono::nanoseconds ttl{0};
};

/// What a watcher is told: nodes of one service in one version that came, changed or went.
struct Change {
  enum class Kind : std::uint8_t { kCreate, kUpdate, kDelete };
  Kind kind = Kind::kCreate;
  ServiceInfo service;
};

/// A watch that is on: it ends when this value is destroyed, and no call of the watcher is under
/// way or follows from then on. Must not be destroyed from within the watcher.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::move_only_function<void()> stop) : stop_(std::move(stop)) {}
  Subscription(Subscription&& other) noexcept : stop_(std::exchange(other.stop_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      Stop();
      stop_ = std::exchange(other.stop_, nullptr);
    }
    return *this;
  }
  ~Subscription() { Stop(); }

  void Stop() {
    if (auto stop = std::exchange(stop_, nullptr)) stop();
  }

 private:
  std::move_only_function<void()> stop_;
};

/// Where services announce themselves and are found by name.
///
/// Control plane: every member may block, up to the registry's own timeout, and may be called from
/// any thread but an event loop's. A registry never throws; its errors carry Phase::kResolve.
class Registry {
 public:
  using Watcher = std::function<void(const Change&)>;

  virtual ~Registry() = default;

  /// The name it is chosen by, such as "mdns".
  virtual std::string_view name() const = 0;

  /// Announces the nodes of `service`. Again with the same node: renews it, and publishes whatever
  /// changed. INVALID_ARGUMENT for a service without name or nodes, or an address it cannot carry.
  virtual Status Register(const ServiceInfo& service, const RegisterOptions& options) = 0;

  /// Withdraws the nodes of `service`. Those it does not know are no error.
  virtual Status Deregister(const ServiceInfo& service) = 0;

  /// One element a version. NOT_FOUND when nothing answers to `service`; the detail says where was
  /// looked and what was seen.
  virtual Result<std::vector<ServiceInfo>> GetService(std::string_view service) = 0;

  /// All services, sorted by name; what they hold beside their names depends on the registry.
  virtual Result<std::vector<ServiceInfo>> ListServices() = 0;

  /// Tells `watcher` of every change to `service` (of all services when empty) from now on, one
  /// change at a time, on a thread of the registry's. A change may be told more than once.
  virtual Result<Subscription> Watch(std::string_view service, Watcher watcher) = 0;
};

/// What a registry is made from.
struct RegistryConfig {
  /// What `--registry_address` names; empty: the registry's own default. Each registry says what an
  /// address is to it (a server, an interface, a file).
  std::vector<std::string> addresses{};
  std::shared_ptr<Logger> logger{};

  // For registries that are servers; others take no notice.

  /// For each operation. A registry that is away is given up then, and tried again in background.
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
  std::string username{};  ///< empty: nobody logs in
  std::string password{};  ///< never logged
  /// Whether it is spoken to with TLS; implied by `tls_cert` and by `tls_ca`. It is always
  /// verified.
  bool tls = false;
  std::string tls_ca{};    ///< PEM file of who may have signed its certificate; empty: the system's
  std::string tls_cert{};  ///< PEM file of the certificate that it is shown
  std::string tls_key{};   ///< PEM file of the key of that
  std::string tls_server_name{};  ///< that its certificate is for; empty: the host that is dialled
  /// Where the registry counts what goes wrong; null: nowhere. Outlives the registry.
  Metrics* metrics = nullptr;
};

}  // namespace micro
