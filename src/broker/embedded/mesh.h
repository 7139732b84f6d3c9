#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "micro/logger.h"
#include "micro/registry.h"

#include "broker/counts.h"
#include "broker/embedded/peers.h"
#include "natsd/server.h"

namespace micro::embedded {

/// The name that go-micro v2.0 to v2.4 find each other's brokers by.
inline constexpr std::string_view kService = "go.micro.nats.broker";

/// Keeps a server in the mesh: in the registry, and its routes in step with whom that shows. One
/// thread of its own; the registry may be slow, or away.
class Mesh {
 public:
  struct Parts {
    natsd::Server* server = nullptr;
    std::shared_ptr<Registry> registry;
    std::string address;  ///< of the server, for the others
    Secret secret{""};
    std::shared_ptr<Logger> logger;
    std::shared_ptr<broker::Counts> counts;
    std::function<void()> joined;  ///< called once, when those that were there first are reached
  };

  explicit Mesh(Parts parts);
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;
  /// Takes the server out of the registry.
  ~Mesh();

 private:
  void Run();
  void Register();
  void Look();
  void Apply(const Peers::Steps& steps);
  void OnChange(const Change& change);
  std::set<std::string> Connected() const;
  void WaitForRoutes();
  std::size_t Heard() const;
  bool Wait(Duration time);
  ServiceInfo Record() const;

  const Parts parts_;
  Peers peers_;
  Subscription watch_;
  bool registered_ = false;
  bool complained_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> gone_;
  bool look_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace micro::embedded
