#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "discovery/endpoints.h"

namespace micro::discovery {

/// All services that a client knows. Thread-safe; ends its lookups and watches when destroyed.
class Directory {
 public:
  /// Services without nodes, and lists of addresses, that are kept in mind.
  static constexpr std::size_t kMostUnknown = 256;
  static constexpr std::size_t kMostReported = 5000;

  explicit Directory(Surroundings around);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();

  std::shared_ptr<Endpoints> Find(const std::string& service);
  /// Nodes that need not be found.
  std::shared_ptr<Endpoints> At(std::span<const std::string> addresses);
  /// What is known of all services, up to kMostReported nodes, and why.
  std::vector<ServiceReport> Report() const;

 private:
  using Services = std::map<std::string, std::shared_ptr<Endpoints>>;

  std::shared_ptr<Endpoints> Make(const std::string& service) const;
  void DropUnknown();

  const Surroundings around_;
  mutable std::mutex mutex_;
  Services services_;
  Services lists_;  // by their addresses
  // Threads of its own: blocking handlers that wait for a lookup may hold all of the workers.
  std::unique_ptr<runtime::WorkerPool> lookups_;
};

}  // namespace micro::discovery
