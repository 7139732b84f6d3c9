#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/logger.h"

#include "registry/mdns/dns.h"
#include "registry/mdns/links.h"
#include "registry/mdns/udp_socket.h"

namespace micro::mdns {

/// The sockets of one lookup: asks on every link from a port of its own, and reads what is sent
/// back there.
class QuerySockets final {
 public:
  /// What one lookup reads at most.
  static constexpr std::size_t kMaxPackets = 4096;

  QuerySockets(const std::vector<Link>& links, Logger* logger);

  /// Asks for PTR records of `name`. UNAVAILABLE, with each link's reason, when no link took it.
  Status Ask(const Name& name);

  /// The next response; nothing when `until` has come or too much has been read.
  std::optional<Message> Next(TimePoint until);

  std::size_t packets() const { return packets_; }

 private:
  struct Open {
    Link link;
    UdpSocket socket;
  };

  bool Wait(TimePoint until);
  std::optional<Message> Read(UdpSocket& socket);

  Logger* logger_;
  std::vector<Open> open_;
  std::string failures_;
  std::size_t packets_ = 0;
  std::vector<char> buffer_;
};

}  // namespace micro::mdns
