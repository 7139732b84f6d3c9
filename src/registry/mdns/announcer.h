#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "micro/duration.h"
#include "micro/logger.h"

#include "registry/mdns/records.h"

namespace micro::mdns {

/// The nodes of this process, and when each is announced: as go-micro does at once and again to
/// those who missed it, and, as RFC 6762 (section 6) wants it, none more than once a second. A node
/// that changes more often is announced as it is a second after the last time. Only a goodbye never
/// waits. Belongs to the loop.
class Announcer final {
 public:
  /// Between two announcements of one node.
  static constexpr std::chrono::seconds kPause{1};

  /// Sends the announcement of a node, or with a `ttl` of 0 its goodbye, to everybody.
  using Send = std::function<void(const Instance& instance, std::uint32_t ttl)>;

  Announcer(boost::asio::io_context& loop, Send send, std::shared_ptr<Logger> logger)
      : loop_(loop), send_(std::move(send)), logger_(std::move(logger)) {}

  /// Announces `instance`, for `ttl` (zero: for ever). Known and unchanged, it is only renewed;
  /// changed, the old one is taken back first.
  void Put(Instance instance, Duration ttl);
  /// Takes an instance back; one it does not know is no error.
  void Remove(const Name& instance);
  /// Announces all anew, for those who could not hear it before.
  void AnnounceAll();

  /// As they are now, announced or about to be.
  std::vector<const Instance*> instances() const;

 private:
  // Shared with nobody but waits of its timers, which may end after the node has gone.
  struct Local {
    explicit Local(boost::asio::io_context& loop) : next(loop), expiry(loop) {}
    Instance instance{};
    std::optional<Instance> told{};  // as it was last announced
    std::size_t announced = 0;       // how often, as it is
    TimePoint not_before{};          // for the next announcement
    boost::asio::steady_timer next;
    boost::asio::steady_timer expiry;
  };

  void Renew(const std::shared_ptr<Local>& local, Duration ttl);
  void Announce(const std::shared_ptr<Local>& local);
  void AnnounceAt(const std::shared_ptr<Local>& local, TimePoint at);
  void Tell(const std::shared_ptr<Local>& local);

  boost::asio::io_context& loop_;
  const Send send_;
  const std::shared_ptr<Logger> logger_;
  std::map<Name, std::shared_ptr<Local>> locals_;
  std::map<Name, TimePoint> left_;  // nodes that went just now, and their not_before
};

}  // namespace micro::mdns
