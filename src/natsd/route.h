#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "natsd/alarm.h"
#include "natsd/info.h"
#include "natsd/options.h"
#include "natsd/peer.h"
#include "natsd/route_parser.h"
#include "natsd/sublist.h"
#include "natsd/wire.h"

namespace micro::natsd {

struct Account;

/// How a route came about.
enum class RouteOrigin : std::uint8_t {
  kAccepted,  ///< the other server dialled
  kExplicit,  ///< we dialled, as we were told to
  kImplicit,  ///< we dialled, having heard of it from another server
};

/// A connection with another server of the cluster, in the dialect of nats-server 2.1 to 2.14 that
/// all of them know: one connection, the account in each line, no compression.
class Route final : public Peer, private Wire::Owner {
 public:
  Route(Engine& engine, int descriptor, RouteOrigin origin, RouteUrl url);
  ~Route() override;

  void Start();
  void OnClosed() override;

  RouteOrigin origin() const { return origin_; }
  const RouteUrl& url() const { return url_; }
  /// Where it leads is known, and interest is exchanged.
  bool registered() const { return registered_; }
  const RouteInfo& remote() const { return remote_; }
  /// There is another route to the same server, and this may take its place.
  bool waiting() const { return waiting_; }
  void Promote();
  /// As remote(), with the address others would dial.
  RouteInfo RemoteForOthers() const;
  /// Goes on as the route to `url`, which led to the same server.
  void BecomeExplicit(const RouteUrl& url);

  void SendInterest(std::string_view operation, const Account& account, std::string_view subject,
                    std::string_view queue, std::uint32_t weight);
  RouteStats Stats() const;

 private:
  struct Remote {
    Account* account;
    std::unique_ptr<Subscription> subscription;
  };
  using Interest = std::unordered_map<std::string, Remote, StringHash, std::equal_to<>>;

  void Flush() override { wire_.Write(out_); }
  bool blocked() const override { return wire_.blocked(); }
  Wire::Taken OnInput(const SlabRef& slab, std::string_view bytes) override;
  void OnRoom() override { Peer::OnRoom(); }
  void OnLost(std::string_view reason) override;
  void OnSecure() override { Greet(); }

  void Greet();
  void SendConnect();
  void Handle(const RouteUnit& unit, const SlabRef& slab);
  void Connect(std::string_view json);
  void OnInfo(std::string_view json);
  void Register(RouteInfo info);
  void FinishRegistering();
  void Fail(std::string_view text, std::string_view reason);
  void Violate();
  void OnPong();
  void AddInterest(const RouteUnit& unit);
  void RemoveInterest(const RouteUnit& unit);
  void DropInterest();
  void Message(const RouteUnit& unit, const SlabRef& slab);
  Account* AccountOf(std::string_view name);
  void SendPing();
  void ArmPing(Duration delay);

  Wire wire_;
  RouteOrigin origin_;
  RouteUrl url_;
  const std::chrono::system_clock::time_point start_;
  RouteInfo remote_;
  bool connected_ = false;  // CONNECT was there, or need not be
  bool registered_ = false;
  bool waiting_ = false;
  Interest interest_;  // by "account subject" and "account subject queue"
  std::string last_account_name_;
  Account* last_account_ = nullptr;
  std::vector<std::string_view> queues_;  // scratch
  std::string canonical_;                 // scratch
  Alarm auth_timeout_;
  Alarm wait_end_;
  Alarm ping_;
  int pings_out_ = 0;
  bool heard_ = false;
  bool measured_ = false;
  TimePoint ping_sent_{};
  Duration rtt_{};
};

}  // namespace micro::natsd
