#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"

#include "natsd/acceptor.h"
#include "natsd/info.h"
#include "natsd/options.h"
#include "natsd/route.h"
#include "natsd/stats.h"

namespace micro::natsd {

class Dial;
class Engine;

/// The other servers: a full mesh of routes. What comes from one server goes to our clients, never
/// to another server.
class Cluster {
 public:
  explicit Cluster(Engine& engine);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  Status Listen();
  std::uint16_t port() const { return acceptor_ == nullptr ? 0 : acceptor_->port(); }
  void Start();
  void Close();

  bool on() const { return acceptor_ != nullptr; }
  const std::string& name() const { return name_; }
  bool dynamic() const { return dynamic_; }
  std::size_t size() const { return by_server_.size(); }

  void AddRoute(const RouteUrl& url);
  void RemoveRoute(const RouteUrl& url);

  /// What clients are to know of the cluster.
  void Describe(ClientInfo& info) const;
  void AddTraffic(Traffic& traffic) const;
  std::vector<RouteStats> Routes() const;

  /// What we say of ourselves to another server.
  RouteInfo OwnInfo() const;
  void TellLameDuck();

  /// A client of ours has one subscription more, or less.
  void InterestChanged(Account& account, const Subscription& subscription, int change);

  // For routes.
  /// Whether a server of that cluster may join; our name may give way to it. `solicited`: we
  /// dialled.
  bool Agree(const std::string& cluster, bool dynamic, bool solicited, const Route& route);
  enum class Standing : std::uint8_t {
    kRegistered,
    kWaiting,  ///< there is one to the same server; if that closes, this takes its place
    kRefused,  ///< it is one too many
  };
  /// Makes a route known whose INFO has come.
  Standing Register(Route& route);
  /// Somebody told us of another server.
  void Hear(const RouteInfo& info);
  /// What clients are told has changed.
  void UrlsChanged();
  /// A route has closed, and goes.
  void Release(Route& route);
  void SendAllInterest(Route& route);

  // For dials.
  void OnDialled(Dial& dial, int descriptor, RouteOrigin origin);
  void EndDial(Dial& dial);

 private:
  void Adopt(int descriptor, RouteOrigin origin, const RouteUrl& url);
  void DialAgain(const RouteUrl& url, Duration delay);
  bool IsExplicit(const RouteUrl& url) const;
  bool IsTaken(const RouteUrl& url) const;
  bool HasName(const Route& route) const;
  void TakeName(const std::string& name, const Route& route);
  void PassOn(const Route& newcomer);
  void PromoteWaiting(const std::string& server);

  Engine& engine_;
  std::string name_;
  bool dynamic_ = false;
  bool closed_ = false;
  std::unique_ptr<Acceptor> acceptor_;
  std::map<std::uint64_t, std::unique_ptr<Route>> routes_;
  std::map<std::string, Route*, std::less<>> by_server_;  // those that are registered
  std::vector<RouteUrl> explicit_;
  std::vector<std::unique_ptr<Dial>> dials_;
  std::vector<std::string> told_urls_;
};

}  // namespace micro::natsd
