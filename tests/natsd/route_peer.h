#pragma once

#include <string>
#include <vector>

#include "server_process.h"

namespace micro::natsd::testing {

/// Another server, as far as a route shows one: spoken by hand.
class RoutePeer {
 public:
  struct Options {
    std::string id = "NPEER1";
    std::string cluster = "c";
    bool headers = true;
    std::string more = "";  ///< of CONNECT, `,"user":"x"`
  };

  explicit RoutePeer(const ServerProcess& server) : RoutePeer(server, Options()) {}
  RoutePeer(const ServerProcess& server, const Options& options);

  Wire& wire() { return wire_; }
  void Send(std::string_view bytes) { wire_.Send(bytes); }
  /// All there is about the account of whom none was given, until the server has answered a PING.
  std::string Sync() { return Relevant(wire_.Sync()); }
  /// Waits for `frame`; those before it are lost.
  void Await(const std::string& frame);
  /// What the server says until it closes.
  std::string Rest() { return Relevant(wire_.Rest()); }

  static std::string Connect(const Options& options);
  static std::string Info(const Options& options);

 private:
  static std::string Relevant(const std::string& frames);

  Wire wire_;
};

/// A server with a cluster "c" that has a route port.
std::string ClusterConfiguration(const std::string& more = "");

}  // namespace micro::natsd::testing
