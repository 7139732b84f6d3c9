#include "route_peer.h"

#include <gtest/gtest.h>

namespace micro::natsd::testing {

std::string ClusterConfiguration(const std::string& more) {
  return "cluster { name: c, listen: \"127.0.0.1:-1\", " + more + " }\n";
}

std::string RoutePeer::Connect(const Options& options) {
  return R"(CONNECT {"echo":true,"verbose":false,"pedantic":false,"tls_required":false,"name":")" +
         options.id + R"(","headers":true,"cluster":")" + options.cluster + "\"" + options.more +
         "}\r\n";
}

std::string RoutePeer::Info(const Options& options) {
  return R"(INFO {"server_id":")" + options.id + R"(","server_name":")" + options.id +
         R"(","version":"2.9.10","proto":2,"host":"127.0.0.1","port":1,"max_payload":1048576,)" +
         R"("headers":)" + (options.headers ? "true" : "false") + R"(,"cluster":")" +
         options.cluster + "\"}\r\n";
}

RoutePeer::RoutePeer(const ServerProcess& server, const Options& options)
    : wire_(server.route_port()) {
  wire_.Send(Connect(options) + Info(options));
}

// nats-server tells of its own subscriptions to $SYS too.
std::string RoutePeer::Relevant(const std::string& frames) {
  std::string kept;
  for (std::size_t at = 0; at < frames.size();) {
    const auto end = frames.find("\r\n", at);
    const std::string line = frames.substr(at, end - at);
    at = end == std::string::npos ? frames.size() : end + 2;
    if (line.find(" $SYS ") == std::string::npos)
      kept += line + (end == std::string::npos ? "" : "\r\n");
  }
  return kept;
}

void RoutePeer::Await(const std::string& frame) {
  for (;;) {
    const std::string next = wire_.Next();
    if (next == frame) return;
    ASSERT_FALSE(next.ends_with("[closed]")) << "waited for " << frame;
  }
}

}  // namespace micro::natsd::testing
