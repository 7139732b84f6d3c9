#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "micro/logger.h"
#include "micro/registry.h"
#include "micro/runtime.h"

#include "registry/etcd/client.h"
#include "registry/etcd/nudge.h"
#include "registry/etcd/records.h"
#include "runtime/signal.h"

namespace micro::etcd {

/// A watch of one service, or of all: it knows what etcd has, and tells what changes there.
///
/// It reads what is there, and then one stream with whatever happens from that revision on. A
/// stream that ends is resumed where it was; what has been compacted away meanwhile, or may have
/// been lost with a connection (another server, or one that came back empty), is read anew and
/// compared with what was told. What is gone then, after a connection was lost, is told only when
/// it has not come back within a few seconds: an etcd that lost everything gets it back from the
/// services, and nobody else should notice.
///
/// Lives on one loop; all members are called there.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  /// Takes a change; false when it cannot take it now.
  using Tell = std::function<bool(Change)>;

  /// How long what is missing after an outage has to come back.
  static constexpr Duration kGrace = std::chrono::seconds(5);

  Watch(std::string service, std::shared_ptr<Client> client, std::shared_ptr<Records> records,
        std::shared_ptr<Logger> logger, Tell tell);

  /// Begins its work.
  void Start() { Run(shared_from_this()); }
  /// Until what is there has been read, or could not be: from then on changes are told.
  Task<void> Begun();
  /// Ends its work, and with it this unless somebody holds it.
  void Stop() { interrupter_.Pull(); }

 private:
  static internal::Detached Run(std::shared_ptr<Watch> self);
  Task<Status> Round();
  Task<Status> Read();
  Task<Status> Follow();
  Task<Status> Wait(transport::ClientStream& stream);
  Status Take(const std::string& message);
  Status OnCancelled(const wire::WatchResponse& response);
  void Compare(const wire::RangeResponse& now);
  void Apply(const wire::Event& event);
  void OnThere(const wire::KeyValue& kv);
  void OnGone(std::map<std::string, ServiceInfo>::iterator told);
  bool Told(Change::Kind kind, const ServiceInfo& service);
  std::optional<ServiceInfo> Record(const wire::KeyValue& kv);
  void ReadAgainAt(TimePoint when) { read_due_ = std::min(read_due_, when); }
  void Report(const Status& outcome);
  runtime::Patience Now() { return {.interrupter = &interrupter_}; }

  const std::string service_;
  const std::string prefix_;
  const std::shared_ptr<Client> client_;
  const std::shared_ptr<Records> records_;
  const std::shared_ptr<Logger> logger_;
  const Tell tell_;

  std::map<std::string, ServiceInfo> told_;  // by key: what those who listen know
  std::int64_t revision_ = 0;                // up to which told_ is right
  std::uint64_t line_ = 0;                   // the connection that told_ was read over
  TimePoint read_due_ = TimePoint::min();
  TimePoint grace_over_ = TimePoint::min();
  TimePoint quiet_since_{};
  Nudge nudge_;
  runtime::Interrupter interrupter_;
  runtime::Signal begun_;
  Backoff backoff_;
  bool failed_ = false;  // which was logged
};

}  // namespace micro::etcd
