#include "natsd/route.h"

#include <algorithm>
#include <utility>

#include "base/address.h"
#include "base/dice.h"
#include "natsd/cluster.h"
#include "natsd/connect_options.h"
#include "natsd/engine.h"
#include "natsd/password.h"
#include "natsd/server.h"

namespace micro::natsd {
namespace {

constexpr std::chrono::seconds kFirstPing{1};
constexpr std::chrono::seconds kLongestPing{30};  // as nats-server 2.10 and later
// How long a second connection with the same server waits for the first to close.
constexpr std::chrono::seconds kWait{2};
// An INFO that lists the clients' URLs of a large cluster is long.
constexpr std::size_t kLongestLine = std::size_t{64} << 10U;
// nats-server allows payloads of up to 64 MiB.
constexpr std::size_t kLargestPayload = std::size_t{64} << 20U;

}  // namespace

Route::Route(Engine& engine, int descriptor, RouteOrigin origin, RouteUrl url)
    : Peer(engine, Kind::kRoute),
      wire_(engine, descriptor, *this),
      origin_(origin),
      url_(std::move(url)),
      start_(std::chrono::system_clock::now()),
      auth_timeout_([this] { Fail("Authentication Timeout", "Authentication Timeout"); }),
      wait_end_([this] { Close("Duplicate Route"); }),
      ping_([this] { SendPing(); }) {}

Route::~Route() = default;

// TLS comes first, and both sides know that by themselves.
void Route::Start() {
  const Options& options = engine().options();
  engine().loop().Arm(auth_timeout_, options.cluster.auth_timeout + options.cluster.tls.timeout);
  if (!options.cluster.tls.on()) {
    wire_.Start();
    return Greet();
  }
  shares_ = false;  // a record that is tried again must not have moved
  const bool server = origin_ == RouteOrigin::kAccepted;
  const auto context = server ? engine().route_tls_server() : engine().route_tls_client();
  wire_.StartTls(wire_.NewTls(*context, url_.host), options.cluster.tls.timeout);
}

// Neither side waits for the other: servers since 2.10 hold back their INFO until ours is there.
void Route::Greet() {
  if (origin_ != RouteOrigin::kAccepted) SendConnect();
  Send(engine().cluster().OwnInfo().Line());
  ArmPing(kFirstPing);
}

void Route::SendConnect() {
  const ClusterOptions& options = engine().options().cluster;
  const Cluster& cluster = engine().cluster();
  const bool given = !url_.user.empty();
  Send(RouteConnect{.server_id = engine().id(),
                    .user = given ? url_.user : options.user,
                    .password = given ? url_.password : options.password,
                    .tls_required = options.tls.on(),
                    .cluster = cluster.name(),
                    .cluster_dynamic = cluster.dynamic()}
           .Line());
}

Wire::Taken Route::OnInput(const SlabRef& slab, std::string_view bytes) {
  const ParserLimits limits{.max_control_line = kLongestLine, .max_payload = kLargestPayload};
  heard_ = true;
  RouteUnit unit;
  std::string_view rest = bytes;
  std::size_t need = 0;
  while (!rest.empty() && !closing() && !waiting_) {
    const Parsed parsed = ParseRouteUnit(rest, limits, unit);
    if (parsed.outcome == Outcome::kMore) {
      need = parsed.size;
      break;
    }
    if (parsed.outcome != Outcome::kUnit) {
      ++engine().counters().protocol_errors;
      Fail(parsed.outcome == Outcome::kUnknown ? "Unknown Protocol Operation" : "Parser Error",
           "Parse Error");
      break;
    }
    Handle(unit, slab);
    rest.remove_prefix(parsed.size);
  }
  return {.used = bytes.size() - rest.size(), .need = need};
}

void Route::Handle(const RouteUnit& unit, const SlabRef& slab) {
  switch (unit.op) {
    case RouteOp::kMessage:
      return registered_ ? Message(unit, slab) : Violate();
    case RouteOp::kAdd:
      return registered_ ? AddInterest(unit) : Violate();
    case RouteOp::kRemove:
      return registered_ ? RemoveInterest(unit) : Violate();
    case RouteOp::kPing:
      return Send("PONG\r\n");
    case RouteOp::kPong:
      return OnPong();
    case RouteOp::kConnect:
      return Connect(unit.args);
    case RouteOp::kInfo:
      return OnInfo(unit.args);
    case RouteOp::kErr:
      engine().Log(LogLevel::kDebug, "the server at " + wire_.ip() +
                                         " says: " + std::string(unit.args.substr(0, 200)));
      return Close("Remote Error");
    case RouteOp::kIgnored:
    case RouteOp::kOk:
      return;
  }
}

void Route::Fail(std::string_view text, std::string_view reason) {
  SendError(text);
  Close(reason);
}

void Route::Violate() {
  ++engine().counters().auth_errors;
  Fail("Authorization Violation", "Authentication Failure");
}

void Route::Connect(std::string_view json) {
  ConnectOptions options{.verbose = false, .pedantic = false};
  if (!ReadConnect(json, options)) return Close("Protocol Violation");
  if (!options.lang.empty() || !options.gateway.empty()) {
    return Fail("attempted to connect to route port", "Wrong Port");
  }
  const ClusterOptions& own = engine().options().cluster;
  const Credentials& shown = options.credentials;
  if (!own.user.empty() &&
      !(SecretMatches(own.user, shown.user) && SecretMatches(own.password, shown.password))) {
    return Violate();
  }
  connected_ = true;
  const bool solicited = origin_ != RouteOrigin::kAccepted;
  if (solicited) return;
  const std::string name = engine().cluster().name();
  if (!engine().cluster().Agree(options.cluster, options.cluster_dynamic, false, *this)) {
    Fail("Rejecting connection, cluster name \"" + options.cluster + "\" does not match \"" + name +
             "\"",
         "Cluster Name Conflict");
  }
}

void Route::OnInfo(std::string_view json) {
  auto info = RouteInfo::Read(json);
  if (!info) return Close("Protocol Violation");
  if (!registered_) return Register(*std::move(info));
  if (info->server_id != remote_.server_id) return engine().cluster().Hear(*info);
  // What it says of itself has changed.
  remote_.connect_urls = info->lame_duck ? std::vector<std::string>() : info->connect_urls;
  if (!info->cluster.empty() && info->cluster != remote_.cluster) {
    remote_.cluster = info->cluster;
    remote_.cluster_dynamic = info->cluster_dynamic;
    if (!engine().cluster().Agree(info->cluster, info->cluster_dynamic, true, *this)) {
      return Close("Cluster Name Conflict");
    }
  }
  engine().cluster().UrlsChanged();
}

void Route::Register(RouteInfo info) {
  Cluster& cluster = engine().cluster();
  const bool must_show = !engine().options().cluster.user.empty();
  if (origin_ == RouteOrigin::kAccepted && must_show && !connected_) return Violate();
  if (info.server_id == engine().id()) return Close("Duplicate Route");
  const bool solicited = origin_ != RouteOrigin::kAccepted;
  if (solicited || !connected_) {
    const bool nameless = info.cluster.empty();
    if (!nameless && !cluster.Agree(info.cluster, info.cluster_dynamic, solicited, *this)) {
      return Close("Cluster Name Conflict");
    }
  }
  remote_ = std::move(info);
  headers_ = remote_.headers;
  switch (cluster.Register(*this)) {
    case Cluster::Standing::kRefused:
      return Close("Duplicate Route");
    case Cluster::Standing::kWaiting:
      waiting_ = true;
      wire_.Pause();
      return engine().loop().Arm(wait_end_, kWait);
    case Cluster::Standing::kRegistered:
      return FinishRegistering();
  }
}

void Route::Promote() {
  waiting_ = false;
  wait_end_.Cancel();
  if (engine().cluster().Register(*this) != Cluster::Standing::kRegistered) {
    return Close("Duplicate Route");
  }
  FinishRegistering();
  wire_.Resume();
}

void Route::FinishRegistering() {
  auth_timeout_.Cancel();
  registered_ = true;
  engine().Log(LogLevel::kInfo, "a route to server " + remote_.server_id + " at " + wire_.ip());
  engine().cluster().SendAllInterest(*this);
  engine().cluster().UrlsChanged();
}

RouteInfo Route::RemoteForOthers() const {
  RouteInfo info = remote_;
  if (info.ip.empty()) {
    info.ip =
        "nats-route://" + JoinHostPort(wire_.ip(), static_cast<std::uint16_t>(remote_.port)) + "/";
  }
  return info;
}

void Route::BecomeExplicit(const RouteUrl& url) {
  origin_ = RouteOrigin::kExplicit;
  url_ = url;
}

void Route::ArmPing(Duration delay) {
  const double jitter = static_cast<double>(delay.count()) * Dice::OfThread().Fraction() / 5;
  engine().loop().Arm(ping_, delay + Duration(static_cast<Duration::rep>(jitter)));
}

void Route::SendPing() {
  const Options& options = engine().options();
  engine().loop().Arm(ping_, std::min<Duration>(options.ping_interval, kLongestPing));
  if (std::exchange(heard_, false) && measured_) return;
  if (pings_out_ + 1 > options.ping_max) return Fail("Stale Connection", "Stale Connection");
  ++pings_out_;
  measured_ = true;
  ping_sent_ = std::chrono::steady_clock::now();
  Send("PING\r\n");
}

void Route::OnPong() {
  pings_out_ = 0;
  heard_ = false;
  if (ping_sent_ != TimePoint()) rtt_ = std::chrono::steady_clock::now() - ping_sent_;
  ping_sent_ = {};
}

void Route::OnLost(std::string_view reason) {
  out_.Clear();
  Close(reason);
}

void Route::OnClosed() {
  auth_timeout_.Cancel();
  wait_end_.Cancel();
  ping_.Cancel();
  if (!out_.empty() && !wire_.blocked()) wire_.Write(out_);
  wire_.Close(true);
  DropInterest();
}

RouteStats Route::Stats() const {
  return {.id = id(),
          .remote_id = remote_.server_id,
          .remote_name = remote_.server_name,
          .solicited = origin_ != RouteOrigin::kAccepted,
          .configured = origin_ == RouteOrigin::kExplicit,
          .ip = wire_.ip(),
          .port = wire_.port(),
          .start = start_,
          .rtt = rtt_,
          .pending_bytes = out_.pending(),
          .traffic = traffic_,
          .tls = wire_.secure(),
          .subscriptions = interest_.size()};
}

}  // namespace micro::natsd
