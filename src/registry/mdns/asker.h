#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "micro/error.h"

#include "registry/mdns/dns.h"
#include "registry/mdns/links.h"
#include "registry/mdns/udp_socket.h"

namespace micro::mdns {

/// Asks on every link, for as long as it lives, from ports of its own: go-micro answers to the port
/// that asked, and what is sent to port 5353 reaches only one of the processes there. Belongs to
/// the loop.
class Asker final {
 public:
  /// `hear` gets each response, on the loop.
  using Hear = std::function<void(const Message& response)>;

  Asker(boost::asio::io_context& loop, Hear hear) : loop_(loop), hear_(std::move(hear)) {}

  /// Sockets are opened when something is asked.
  void UseLinks(std::vector<Link> links);
  /// UNAVAILABLE when no link took it.
  Status Ask(const Message& query);

 private:
  struct Channel {
    Channel(boost::asio::io_context& loop, Link on, UdpSocket opened);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();
    Link link;
    UdpSocket socket;
    boost::asio::posix::stream_descriptor readiness;
  };

  void Open();
  void Await(const std::shared_ptr<Channel>& channel);
  void Drain(Channel& channel);

  boost::asio::io_context& loop_;
  const Hear hear_;
  std::vector<Link> links_;
  std::vector<std::shared_ptr<Channel>> channels_;  // one a link, or none yet
  std::vector<char> buffer_;
};

}  // namespace micro::mdns
