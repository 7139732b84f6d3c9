#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "micro/duration.h"
#include "micro/error.h"

#include "registry/bad_records.h"
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

  /// `bad`, which may be null, is told of what cannot be read.
  QuerySockets(const std::vector<Link>& links, BadRecords* bad);

  /// Asks for PTR records of `name`, but for those of `known`, which need not be sent. UNAVAILABLE,
  /// with each link's reason, when no link took it.
  Status Ask(const Name& name, std::vector<Record> known = {});

  /// The next response; nothing when `until` has come or too much has been read.
  std::optional<Message> Next(TimePoint until);

  std::size_t packets() const { return packets_; }
  /// Those of them that were no DNS.
  std::size_t malformed() const { return malformed_; }

 private:
  struct Open {
    Link link;
    UdpSocket socket;
  };

  bool Wait(TimePoint until);
  std::optional<Message> Read(UdpSocket& socket);

  BadRecords* bad_;
  std::vector<Open> open_;
  std::string failures_;
  std::size_t packets_ = 0;
  std::size_t malformed_ = 0;
  std::vector<char> buffer_;
};

}  // namespace micro::mdns
