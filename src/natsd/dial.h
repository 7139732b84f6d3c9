#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "natsd/alarm.h"
#include "natsd/loop.h"
#include "natsd/options.h"
#include "natsd/route.h"
#include "natsd/socket_address.h"

namespace micro::natsd {

class Cluster;

/// An attempt to connect with another server, and those that follow when it fails.
class Dial final : public Watch {
 public:
  /// `retries`: how many attempts follow the first; -1: any number.
  Dial(Engine& engine, Cluster& cluster, RouteOrigin origin, RouteUrl url, int retries);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  const RouteUrl& url() const { return url_; }
  /// Begins once `delay` has passed.
  void Start(Duration delay);
  void OnEvents(std::uint32_t events) override;

 private:
  void Resolve();
  void OnResolved(Result<std::vector<SocketAddress>> addresses);
  void TryNext();
  void Abandon();
  void Again(const std::string& why);

  Engine& engine_;
  Cluster& cluster_;
  const RouteOrigin origin_;
  const RouteUrl url_;
  int retries_;
  int failures_ = 0;
  int descriptor_ = -1;
  std::vector<SocketAddress> addresses_;
  std::size_t next_ = 0;  // of them
  Alarm start_;
  Alarm timeout_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace micro::natsd
