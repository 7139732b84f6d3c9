#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "micro/registry.h"

namespace micro {

/// The watches of one registry: takes changes from any thread and tells them, one at a time and in
/// order, on a thread of its own, so that a slow watcher holds up neither sockets nor callers.
class Watchers {
 public:
  /// Changes that wait to be told; what comes while so many wait is dropped.
  static constexpr std::size_t kMaxWaiting = 4096;

  Watchers();
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;
  /// Ends all watches; a call that is under way is waited for.
  ~Watchers();

  /// Tells `watcher` of changes to `service`, of all services when it is empty.
  Subscription Add(std::string_view service, Registry::Watcher watcher);

  /// False when the change was dropped because too many wait.
  bool Tell(Change change);

  bool empty() const;
  /// Whether somebody watches `service`, by its name or among all.
  bool watches(std::string_view service) const;
  /// The names that are watched, each once, without the watches of all services.
  std::vector<std::string> services() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace micro
