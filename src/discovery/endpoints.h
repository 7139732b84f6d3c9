#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "micro/registry.h"
#include "micro/runtime.h"
#include "micro/selector.h"

#include "runtime/signal.h"
#include "runtime/worker_pool.h"

namespace micro::discovery {

/// What a client knows of one service: its nodes, looked up once by whoever comes first, kept up by
/// a watch, and never emptied by an error.
class Endpoints : public std::enable_shared_from_this<Endpoints> {
 public:
  Endpoints(std::string service, std::unique_ptr<Selector> selector,
            std::shared_ptr<Registry> registry, runtime::WorkerPool& lookups, Logger& logger);
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  /// Ends the watch. Once no lookup can run any more; not from within the watcher.
  void Stop() { watch_.Stop(); }

  Selector& selector() { return *selector_; }
  /// Whether nodes are known. Cheap, from any thread.
  bool known() const { return known_.load(std::memory_order_acquire); }

  /// Looks the service up, together with all who ask meanwhile, and waits for the outcome with
  /// `patience`. On an event loop.
  Task<Status> Refresh(runtime::Patience patience);

 private:
  // One lookup, as seen by those of one loop who wait for it.
  struct Waiting {
    EventLoop* loop = nullptr;
    std::shared_ptr<runtime::Signal> done;
    std::shared_ptr<Status> outcome;
  };

  std::shared_ptr<Waiting> Join();
  bool Begin();
  void LookUp();
  void Finish(const Status& outcome);
  void WatchOnce();
  void Replace(const std::vector<ServiceInfo>& services);
  void Apply(const Change& change);
  void Publish();

  const std::string service_;
  const std::unique_ptr<Selector> selector_;
  const std::shared_ptr<Registry> registry_;
  runtime::WorkerPool& lookups_;
  Logger& logger_;
  std::atomic<bool> known_{false};

  std::mutex mutex_;
  std::vector<Node> nodes_;
  std::vector<Change> heard_;  // what the watch told since the lookup under way began
  std::vector<std::shared_ptr<Waiting>> waiting_;
  bool looking_ = false;
  bool watched_ = false;
  Subscription watch_;
};

/// All services that a client knows. Thread-safe; ends its lookups and watches when destroyed.
class Directory {
 public:
  Directory(Runtime& runtime, std::shared_ptr<Registry> registry,
            std::function<std::unique_ptr<Selector>()> make_selector);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();

  std::shared_ptr<Endpoints> Find(const std::string& service);
  std::unique_ptr<Selector> MakeSelector() const { return make_selector_(); }

 private:
  Runtime& runtime_;
  std::shared_ptr<Registry> registry_;
  std::function<std::unique_ptr<Selector>()> make_selector_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Endpoints>> services_;
  // Threads of its own: blocking handlers that wait for a lookup may hold all of the workers.
  std::unique_ptr<runtime::WorkerPool> lookups_;
};

}  // namespace micro::discovery
