#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "micro/logger.h"
#include "micro/runtime.h"

#include "registry/etcd/client.h"
#include "registry/etcd/nudge.h"
#include "runtime/signal.h"

namespace micro::etcd {

/// What this process has registered, and sees to it that etcd has it: under one lease, which one
/// stream keeps alive. Whatever etcd loses, or has not got yet, is put there again until it is
/// withdrawn or not asked for any more for as long as its TTL.
///
/// Lives on one loop; all members are called there.
class Registrations : public std::enable_shared_from_this<Registrations> {
 public:
  struct Record {
    std::string key{};
    std::string value{};
  };

  Registrations(std::shared_ptr<Client> client, std::shared_ptr<Logger> logger);

  /// Begins its work.
  void Start() { Run(shared_from_this()); }

  /// Has `records` put, for `ttl` (zero: for ever) from now on. Fails where that has not been done
  /// within the client's timeout: it goes on being tried then.
  Task<Status> Put(std::vector<Record> records, Duration ttl);
  /// Has `keys` deleted. Fails likewise.
  Task<Status> Delete(std::vector<std::string> keys);

  /// Ends its work, and gives the lease back if etcd is there.
  Task<void> Stop();

 private:
  struct Entry {
    std::string value{};
    Duration ttl{};
    TimePoint expiry = TimePoint::max();
    bool wanted = true;    // there; or else: not there
    bool settled = false;  // it is as wanted, as far as is known
    bool doubted = false;  // asked for again: perhaps others have changed it
    int version = 0;       // of the wish
    Status trouble{};      // of the last attempt
  };
  struct Lease {
    std::int64_t id = 0;  // 0: none
    std::chrono::seconds asked{};
    std::chrono::seconds granted{};
  };

  static internal::Detached Run(std::shared_ptr<Registrations> self);
  Task<Status> Round();
  Task<Status> Work();
  Task<Status> HoldLease();
  Task<Status> Settle();
  Task<Status> SettleOne(std::string key);
  Task<Status> Doubt(const std::string& key, Entry& entry);
  Task<Status> KeepAlive();
  Status Listen();
  void Beat(TimePoint now);
  Task<void> Revoke(runtime::Patience patience);
  Task<Status> Outcome(std::vector<std::string> keys);
  void Wish(const std::string& key, bool wanted);
  void Expire();
  void LoseLease(const std::string& why);
  void Report(const Status& outcome);
  std::chrono::seconds WantedTtl() const;
  TimePoint Due(const Status& outcome);
  runtime::Patience Now() { return {.interrupter = &interrupter_}; }

  const std::shared_ptr<Client> client_;
  const std::shared_ptr<Logger> logger_;
  std::map<std::string, Entry> entries_;  // taken out by Run's rounds only
  Lease lease_;
  transport::ClientStreamPtr stream_;
  std::uint64_t line_ = 0;  // that the stream is on
  TimePoint beat_due_{};
  std::optional<TimePoint> unanswered_;  // when the beat was sent that etcd owes an answer to
  Nudge nudge_;
  runtime::Interrupter interrupter_;
  std::shared_ptr<runtime::Signal> next_ = std::make_shared<runtime::Signal>();  // round's end
  runtime::Signal ended_;
  Status trouble_;  // of the last round
  Backoff backoff_;
  bool stood_ = false;   // everything was there once
  bool failed_ = false;  // and not any more, which was logged
};

}  // namespace micro::etcd
