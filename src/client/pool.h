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
  struct Options {
    Duration dial_timeout{};
    std::size_t most = 1;  ///< connections to one address
    Duration idle_time{};  ///< how long one is kept that no call uses; zero: for ever
  };

  Pool(std::shared_ptr<Transport> transport, const Options& options)
      : transport_(std::move(transport)), options_(options) {}

  /// A connection to `address` for a call now, if there is one: with room for it, or else any, when
  /// there may be no more of them.
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
    std::shared_ptr<transport::Connection> connection;
  };
  struct Kept {
    std::shared_ptr<transport::Connection> connection;
    bool used = true;  // since the last sweep
  };
  struct Line {
    std::vector<Kept> connections;
    std::shared_ptr<Dial> dial;
  };

  static internal::Detached Connect(std::shared_ptr<Pool> self, std::string address,
                                    std::shared_ptr<Dial> dial);
  void OnDialled(const std::string& address, Dial& dial,
                 Result<std::shared_ptr<transport::Connection>> connection);
  void SweepLater();
  void Sweep();

  std::shared_ptr<Transport> transport_;
  Options options_;
  std::unordered_map<std::string, Line> lines_;
  bool sweeping_ = false;
  bool closed_ = false;
};

}  // namespace micro::client
