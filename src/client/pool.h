#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "micro/transport.h"

#include "runtime/signal.h"

namespace micro::client {

/// The connections of one loop, by address. Calls share them; whoever finds none dials, and those
/// who come meanwhile wait for the same dial.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::shared_ptr<Transport> transport, Duration dial_timeout)
      : transport_(std::move(transport)), dial_timeout_(dial_timeout) {}

  /// A connection to `address` that takes a call now, if there is one.
  std::shared_ptr<transport::Connection> Ready(const std::string& address);

  /// A connection to `address`, dialled if need be.
  Task<Result<std::shared_ptr<transport::Connection>>> Get(std::string address,
                                                           runtime::Patience patience);

  /// Closes every connection, which ends their calls, and opens no more.
  void Close() {
    closed_ = true;
    const auto closing = std::exchange(lines_, {});
  }

 private:
  struct Dial {
    runtime::Signal done;
    Status outcome;
  };
  struct Line {
    std::vector<std::shared_ptr<transport::Connection>> connections;
    std::shared_ptr<Dial> dial;
  };

  static internal::Detached Connect(std::shared_ptr<Pool> self, std::string address,
                                    std::shared_ptr<Dial> dial);
  void OnDialled(const std::string& address, Dial& dial,
                 Result<std::shared_ptr<transport::Connection>> connection);

  std::shared_ptr<Transport> transport_;
  Duration dial_timeout_;
  std::unordered_map<std::string, Line> lines_;
  bool closed_ = false;
};

}  // namespace micro::client
