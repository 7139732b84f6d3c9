#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "micro/metrics.h"
#include "micro/registry.h"
#include "micro/runtime.h"
#include "micro/selector.h"

#include "discovery/ejections.h"
#include "discovery/node_calls.h"
#include "discovery/node_set.h"
#include "discovery/report.h"
#include "discovery/views.h"
#include "runtime/signal.h"
#include "runtime/worker_pool.h"

namespace micro::discovery {

/// How long things last.
struct Times {
  Duration refresh = std::chrono::seconds(60);        ///< between lookups beside a watch
  Duration first_retry = std::chrono::seconds(1);     ///< after a lookup or watch that failed
  Duration longest_retry = std::chrono::seconds(30);  ///< after many
  Duration nothing = std::chrono::seconds(1);         ///< that a lookup in vain is not repeated
  Duration fresh = std::chrono::milliseconds(100);    ///< nor one that found something
  Duration settle = std::chrono::milliseconds(20);    ///< in which changes are passed on as one
};

/// What the endpoints of all services share.
struct Surroundings {
  Runtime* runtime = nullptr;
  std::shared_ptr<Registry> registry = {};
  Views::MakeSelector make_selector = {};
  std::string zone = {};             ///< whose nodes are called first; empty: all alike
  std::uint64_t max_node_calls = 0;  ///< under way at one node; 0: no limit
  Metrics* metrics = nullptr;
  Times times = {};
};

/// Whether a call may go to a node, and its place there as long as it lasts.
struct Admission {
  enum class Answer : std::uint8_t { kYes, kFull, kOnTrial };

  Answer answer = Answer::kYes;
  NodeCalls::Place place = {};
};

/// What a client knows of one service: its nodes, looked up once by whoever comes first, kept up by
/// a watch and by further lookups, and never emptied by an error. How calls went is told to it:
/// nodes that cannot be reached are given a rest.
class Endpoints : public std::enable_shared_from_this<Endpoints> {
 public:
  Endpoints(std::string service, Surroundings around, runtime::WorkerPool& lookups);
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  /// Nodes that are known once and for all: nothing is looked up.
  void Fix(std::span<const std::string> addresses);

  /// No lookups from now on. Before the pool that they run on goes.
  void Close();
  /// Ends the watch. Once no lookup can run any more; not from within the watcher.
  void Stop() { watch_.Stop(); }

  /// The nodes, for calls that name no filter.
  Selector& selector() { return views_.main(); }
  /// The nodes that pass `filter`; those of any zone.
  std::shared_ptr<Selector> SelectorFor(const NodeFilter& filter, bool any_zone);
  /// Whether selector() may leave out nodes of other zones.
  bool zoned() const { return views_.zoned(); }
  /// Whether nodes are known that the registry vouches for. Cheap, from any thread.
  bool known() const { return known_.load(std::memory_order_acquire); }

  /// Looks the service up, together with all who ask meanwhile, and waits for the outcome with
  /// `patience`; what was found a moment ago is not looked up again. On an event loop.
  Task<Status> Refresh(runtime::Patience patience);

  /// Whether a call has to ask for admission to its node. Cheap, from any thread.
  bool guarded() const { return calls_ != nullptr || troubled_.load(std::memory_order_relaxed); }
  /// Lets a call to a node in, or not. From any thread.
  Admission Admit(const Node& node, bool heed_trials);
  /// Calls that may be under way at one node, where there is a limit.
  std::uint64_t max_node_calls() const { return around_.max_node_calls; }

  /// How a call to a node went; cheap as long as calls are answered. From any thread.
  void Report(const Node& node, Outcome outcome) {
    const bool fine = outcome == Outcome::kAnswered || outcome == Outcome::kAbandoned;
    if (!fine || troubled_.load(std::memory_order_relaxed)) Note(node, outcome);
  }

  /// What is known, and why. From any thread.
  ServiceReport Report() const;

 private:
  using Found = Result<std::vector<ServiceInfo>>;

  // One lookup, as seen by those of one loop who wait for it.
  struct Waiting {
    EventLoop* loop = nullptr;
    std::shared_ptr<runtime::Signal> done;
    std::shared_ptr<Status> outcome;
  };

  struct Counters {
    explicit Counters(Metrics& metrics);
    Counter& lookups;
    Counter& failures;
    Counter& updates;
    Counter& ejections;
  };

  static TimePoint Now() { return std::chrono::steady_clock::now(); }

  std::shared_ptr<Waiting> Join();
  bool Begin();
  void LookUp();
  void Take(const Found& found);
  Status OutcomeOf(const Found& found) const;
  void Finish(const Status& outcome);
  void LookAgainLater();
  void LookAgain();
  bool WatchOnce();
  void Apply(const Change& change);
  void Note(const Node& node, Outcome outcome);
  void Later(Duration delay, void (Endpoints::*then)());
  NodeReport ReportOn(const NodeSet::Known& known, TimePoint now) const;
  void PublishSoon();
  void PublishNow();
  void Publish(TimePoint now);

  const std::string service_;
  const Surroundings around_;
  runtime::WorkerPool& lookups_;
  Counters counters_;
  Views views_;
  const std::shared_ptr<NodeCalls> calls_;  // where there is a limit
  std::atomic<bool> known_{false};
  std::atomic<bool> troubled_{false};

  mutable std::mutex mutex_;
  NodeSet nodes_;
  Ejections ejections_;
  Gauge* count_ = nullptr;     // of nodes; from the first on
  std::vector<Change> heard_;  // what the watch told since the lookup under way began
  std::vector<std::shared_ptr<Waiting>> waiting_;
  Status last_;           // how the last lookup went,
  TimePoint last_until_;  // and how long that is taken for the truth
  std::optional<TimePoint> looked_up_;
  TimePoint published_at_;
  int failed_ = 0;       // lookups or watches, in a row
  bool usable_ = false;  // there are nodes, be they vouched for or not
  bool looking_ = false;
  bool looks_again_ = false;  // at some later time
  bool publishes_ = false;    // at some later time
  bool fixed_ = false;
  bool closed_ = false;
  std::atomic<bool> watched_{false};  // written by the lookup under way only
  Subscription watch_;
};

}  // namespace micro::discovery
