#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/logger.h"
#include "micro/registry.h"

#include "registry/mdns/links.h"
#include "registry/mdns/records.h"
#include "registry/mdns/sightings.h"
#include "registry/mdns/udp_socket.h"
#include "registry/watchers.h"

namespace micro::mdns {

/// Holds the process's sockets on port 5353: announces its nodes, answers for them, and hears what
/// others announce. All state belongs to the loop, which one thread runs; the public members may be
/// called from any other thread.
class Responder final {
 public:
  /// The responder that registries with the same choice of interfaces share. Port 5353 delivers a
  /// multicast to every socket, so a second responder would answer nothing the first cannot, and
  /// double what each packet on the network costs this process.
  static std::shared_ptr<Responder> Shared(std::vector<std::string> interfaces,
                                           std::shared_ptr<Logger> logger);

  Responder(std::vector<std::string> interfaces, std::shared_ptr<Logger> logger);
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder();

  /// Announces `instance` and answers for it, for `ttl` (zero: for ever). Known and unchanged, it
  /// is only renewed; changed, the old one is taken back first. UNAVAILABLE when no socket on port
  /// 5353 could be had, INVALID_ARGUMENT when it does not fit in a datagram.
  Status Announce(Instance instance, Duration ttl);

  /// Takes an instance back; one it does not know is no error.
  void Withdraw(const Name& instance);

  Subscription Watch(std::string_view service, Registry::Watcher watcher);

 private:
  // A socket and the loop's view of it.
  struct Channel {
    Channel(boost::asio::io_context& loop, UdpSocket bound);
    ~Channel();
    UdpSocket socket;
    boost::asio::posix::stream_descriptor readiness;
  };

  // Shared with nobody but waits of its timers, which may end after the node has gone.
  struct Local {
    explicit Local(boost::asio::io_context& loop) : repetition(loop), expiry(loop) {}
    Instance instance;
    std::size_t announced = 0;
    boost::asio::steady_timer repetition;
    boost::asio::steady_timer expiry;
  };

  template <typename Work>
  auto OnLoop(Work work);

  void Open(UdpSocket::Family family);
  void Rescan();
  void UseLinks(std::vector<Link> links);

  void Await(Channel& channel);
  void Drain(Channel& channel);
  void Handle(Channel& channel, const Datagram& datagram);
  void Answer(Channel& channel, const Datagram& datagram, const Message& query);
  void TellWatchers(const Message& message);
  std::vector<const Instance*> VisibleTo(const Datagram& datagram) const;

  void Put(Instance instance, Duration ttl);
  void Remove(const Name& instance);
  void Renew(const std::shared_ptr<Local>& local, Duration ttl);
  void Repeat(const std::shared_ptr<Local>& local);
  void Multicast(const Instance& instance, std::uint32_t ttl);
  void Log(LogLevel level, const std::string& line) const;

  const std::vector<std::string> interfaces_;
  const std::shared_ptr<Logger> logger_;
  const Name host_;
  Watchers watchers_;

  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer rescan_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<Link> links_;
  std::string why_no_channel_;
  std::map<Name, std::shared_ptr<Local>> locals_;
  SightingFilter filter_;
  std::vector<char> buffer_;
  std::uint64_t malformed_ = 0;
  std::thread thread_;
};

}  // namespace micro::mdns
