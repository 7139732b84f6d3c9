#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "micro/selector.h"
#include "micro/transport.h"

#include "client/pool.h"
#include "runtime/signal.h"

namespace micro::client {

/// One request that is sent to several nodes, for the first answer. Lives on one loop.
class Race : public std::enable_shared_from_this<Race> {
 public:
  /// A node's part in it. Once it is over: no connection, or a stream that has ended, or neither
  /// when there was no time left.
  struct Runner {
    explicit Runner(NodePtr running) : node(std::move(running)) {}

    NodePtr node;
    Status connected;
    transport::ClientStreamPtr stream;
    std::string answer;
    int answers = 0;
    bool over = false;
    bool seen = false;  ///< was returned by Next
    bool ended = false;
    runtime::Interrupter interrupter;
  };

  /// `request` is encoded, behind the transport's headroom.
  Race(std::shared_ptr<Pool> pool, transport::CallHead head, std::string request,
       TimePoint deadline)
      : pool_(std::move(pool)),
        head_(std::move(head)),
        request_(std::move(request)),
        deadline_(deadline) {}

  void Start(NodePtr node);
  /// The next runner that is over; null when patience was before.
  Task<Runner*> Next(runtime::Patience patience);
  /// Whether any still runs.
  bool running() const;
  /// Ends those that still run, which cancels their calls.
  void Stop();

 private:
  static internal::Detached Run(std::shared_ptr<Race> self, Runner* runner);
  Task<std::shared_ptr<transport::Connection>> Connect(Runner* runner);
  Task<void> Exchange(Runner* runner);

  Runner* Unseen();

  std::shared_ptr<Pool> pool_;
  transport::CallHead head_;
  std::string request_;
  TimePoint deadline_;
  std::deque<Runner> runners_;
  std::shared_ptr<runtime::Signal> changed_;
};

}  // namespace micro::client
