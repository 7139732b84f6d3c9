#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "micro/error.h"
#include "micro/logger.h"
#include "micro/runtime.h"

#include "natsd/monitor/pages.h"
#include "net/http1/connection.h"
#include "net/listener.h"

namespace micro::natsd::monitor {

/// Where the pages come from. Called on the monitor's thread.
struct Sources {
  std::function<std::string(const std::string& query)> varz;
  std::function<std::string(const std::string& query)> connz;
  std::function<std::string(const std::string& query)> routez;
  std::function<std::string(const std::string& query)> subsz;
};

/// Serves nats-server's monitoring pages over HTTP: /varz, /connz, /routez, /subsz, /healthz and,
/// at
/// /, a list of them. It has a thread of its own, and no more than a few dozen connections.
///
/// There is no authorization, as with nats-server: who reaches the port sees the names of users and
/// subjects. It belongs on an address that only operators reach.
class Monitor final : public http1::Connection::Owner {
 public:
  /// FAILED_PRECONDITION with Phase::kConfigure when "host:port" cannot be listened at.
  static Result<std::unique_ptr<Monitor>> Start(const std::string& address, Sources sources,
                                                std::shared_ptr<Logger> logger);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// "host:port" as bound.
  const std::string& address() const { return listener_->address(); }

  // http1::Connection::Owner
  void OnRequest(http::Exchange& exchange, http::Request request) override;
  void OnConnectionClosed(http1::Connection& connection, std::string_view reason,
                          bool malformed) override;

 private:
  using Page = std::function<std::string(const std::string& query)>;

  Monitor(Sources sources, std::shared_ptr<Logger> logger);
  void Welcome(runtime::Loop& loop, std::unique_ptr<net::Link> link);
  void CloseAll();

  std::map<std::string, Page, std::less<>> pages_;
  std::unique_ptr<Runtime> runtime_;
  std::shared_ptr<net::Listener> listener_;
  // Of the loop.
  std::map<http1::Connection*, std::shared_ptr<http1::Connection>> connections_;
  bool closing_ = false;
};

}  // namespace micro::natsd::monitor
