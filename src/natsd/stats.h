#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "micro/duration.h"

namespace micro::natsd {

/// Messages and the bytes of their headers and payloads, since the beginning.
struct Traffic {
  std::uint64_t in_messages = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_messages = 0;
  std::uint64_t out_bytes = 0;

  Traffic& operator+=(const Traffic& other) {
    in_messages += other.in_messages;
    in_bytes += other.in_bytes;
    out_messages += other.out_messages;
    out_bytes += other.out_bytes;
    return *this;
  }
};

/// One connection to the client port, or from within the process.
struct ClientStats {
  std::uint64_t id = 0;
  std::string ip = {};  ///< empty: from within the process
  std::uint16_t port = 0;
  std::chrono::system_clock::time_point start = {};
  std::chrono::system_clock::time_point last_activity = {};
  Duration rtt = {};  ///< of the last PING; zero: none was answered yet
  std::size_t pending_bytes = 0;
  std::size_t pinned_bytes = 0;  ///< memory that what is pending holds
  Traffic traffic = {};
  std::string name = {};
  std::string lang = {};
  std::string version = {};
  std::string user = {};
  std::string account = {};
  bool tls = false;
  std::size_t subscriptions = 0;
  std::vector<std::string> subjects = {};  ///< of its subscriptions, where they were asked for
};

/// One route to another server.
struct RouteStats {
  std::uint64_t id = 0;
  std::string remote_id = {};
  std::string remote_name = {};
  bool solicited = false;   ///< whether we dialled
  bool configured = false;  ///< whether it is one of those we dial again
  std::string ip = {};
  std::uint16_t port = 0;
  std::chrono::system_clock::time_point start = {};
  Duration rtt = {};
  std::size_t pending_bytes = 0;
  Traffic traffic = {};
  bool tls = false;
  std::size_t subscriptions = 0;  ///< what the other server has told us of
};

/// The table of subscriptions.
struct SublistStats {
  std::size_t subscriptions = 0;  ///< ours and those of routes
  std::size_t cached_plans = 0;
  std::uint64_t inserts = 0;
  std::uint64_t removes = 0;
  std::uint64_t matches = 0;  ///< subjects that were looked up
  std::uint64_t hits = 0;     ///< of them, those whose plan was there
};

/// A server at a glance.
struct ServerStats {
  std::string id = {};
  std::string name = {};
  std::string version = {};
  std::string cluster = {};
  std::chrono::system_clock::time_point start = {};
  std::size_t connections = 0;
  std::uint64_t total_connections = 0;
  std::size_t routes = 0;
  std::size_t subscriptions = 0;  ///< of clients
  std::uint64_t slow_consumers = 0;
  std::uint64_t stalls = 0;   ///< times a publisher was made to wait for a subscriber
  std::uint64_t dropped = 0;  ///< messages that subscribers within the process were too slow for
  std::uint64_t protocol_errors = 0;
  std::uint64_t auth_errors = 0;
  bool lame_duck = false;
  Traffic traffic = {};
  std::vector<std::string> connect_urls = {};
};

}  // namespace micro::natsd
