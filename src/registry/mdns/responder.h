#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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

#include "registry/bad_records.h"
#include "registry/mdns/announcer.h"
#include "registry/mdns/answer_limit.h"
#include "registry/mdns/asker.h"
#include "registry/mdns/link_events.h"
#include "registry/mdns/links.h"
#include "registry/mdns/records.h"
#include "registry/mdns/sightings.h"
#include "registry/mdns/udp_socket.h"
#include "registry/watchers.h"

namespace micro::mdns {

/// Holds the process's sockets on port 5353: announces its nodes, answers for them, hears what
/// others announce, and asks for those who have been silent for most of their TTL. All state
/// belongs to the loop, which one thread runs; the public members may be called from any other
/// thread.
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

  /// What a lookup found. From now on it is noticed when one of these nodes goes without a word.
  void Remember(std::vector<Sighting> found);

  /// Who is told of what could not be used, until ForgetBadRecords.
  void TellBadRecords(BadRecords* bad);
  void ForgetBadRecords(BadRecords* bad);

 private:
  // A socket and the loop's view of it.
  struct Channel {
    Channel(boost::asio::io_context& loop, UdpSocket bound);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();
    UdpSocket socket;
    boost::asio::posix::stream_descriptor readiness;
  };

  template <typename Work>
  auto OnLoop(Work work);

  void Open(UdpSocket::Family family);
  void OpenLinkEvents();
  void AwaitLinkEvents();
  void Rescan();
  void RescanAfter(Duration pause);
  void UseLinks(std::vector<Link> links);
  void JoinAndLeave(Channel& channel, const std::vector<Link>& links);

  void Await(Channel& channel);
  void Drain(Channel& channel);
  void Handle(Channel& channel, const Datagram& datagram);
  void Answer(Channel& channel, const Datagram& datagram, const Message& query);
  std::vector<const Instance*> VisibleTo(const Datagram& datagram) const;
  void Multicast(const Instance& instance, std::uint32_t ttl);

  void HearAnnouncement(const Message& message);
  void HearAnswer(const Message& message);
  void Tell(Change::Kind kind, ServiceInfo service);
  void LookAfterSightings();
  void AskAgain(const std::string& service);
  void AwaitSightings();

  void NoteBad(const std::string& what);
  void Log(LogLevel level, const std::string& line) const;

  const std::vector<std::string> interfaces_;
  const std::shared_ptr<Logger> logger_;
  const Name host_;
  Watchers watchers_;

  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer rescan_;
  std::optional<LinkEvents> link_events_;
  boost::asio::posix::stream_descriptor link_events_readiness_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<Link> links_;
  std::string why_no_channel_;
  Announcer announcer_;
  AnswerLimit limit_;
  Asker asker_;
  Sightings sightings_;
  boost::asio::steady_timer sightings_timer_;
  TimePoint sightings_due_ = TimePoint::max();
  std::vector<BadRecords*> bad_records_;
  std::vector<char> buffer_;
  std::thread thread_;
};

}  // namespace micro::mdns
