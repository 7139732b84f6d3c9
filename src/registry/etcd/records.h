#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "micro/metrics.h"
#include "micro/registry.h"

#include "registry/etcd/wire.pb.h"

namespace micro::etcd {

/// Reads what stands in etcd, where anybody may have written anything: what is no record of a
/// service, and nodes that have no address, are left out, counted in
/// `micro_registry_bad_records_total`, and logged once.
///
/// Thread-safe.
class Records {
 public:
  /// Both may be null; `metrics` must outlive this.
  Records(std::shared_ptr<Logger> logger, Metrics* metrics);

  /// Nothing when no node is left.
  std::optional<ServiceInfo> Read(const wire::KeyValue& kv);

 private:
  void Complain(const wire::KeyValue& kv, const std::string& why);

  const std::shared_ptr<Logger> logger_;
  Counter* bad_ = nullptr;
  std::mutex mutex_;
  std::set<std::pair<std::string, std::int64_t>> known_bad_;  // key and revision
};

/// Why nobody could use `node`; empty when it can be used.
std::string FaultOf(const Node& node);

/// The value of a node's key: go-micro's JSON of the service with this node alone.
std::string ValueOf(const ServiceInfo& service, const Node& node);

}  // namespace micro::etcd
