#include "natsd/cluster.h"

#include <algorithm>
#include <utility>

#include "base/address.h"
#include "base/dice.h"
#include "natsd/dial.h"
#include "natsd/engine.h"
#include "natsd/own_urls.h"
#include "natsd/random_names.h"
#include "natsd/server.h"
#include "natsd/socket_address.h"

namespace micro::natsd {
namespace {

constexpr std::size_t kNameSize = 22;
constexpr int kProtocol = 2;  // accounts, and RS+ for each subject
// What dials at once may dial apart the next time: crossed connections close each other.
constexpr std::chrono::seconds kRest{1};
constexpr double kJitterMilliseconds = 100;

Duration Jitter() {
  const double milliseconds = kJitterMilliseconds * Dice::OfThread().Fraction();
  return std::chrono::microseconds(static_cast<std::int64_t>(milliseconds * 1000));
}

bool SamePlace(const RouteUrl& a, const RouteUrl& b) {
  return a.host == b.host && a.port == b.port;
}

// Reads "nats-route://host:port/".
Result<RouteUrl> UrlOf(std::string_view ip) {
  if (const auto scheme = ip.find("://"); scheme != std::string_view::npos) {
    ip.remove_prefix(scheme + 3);
  }
  if (const auto at = ip.rfind('@'); at != std::string_view::npos) ip.remove_prefix(at + 1);
  while (ip.ends_with('/')) ip.remove_suffix(1);
  const auto place = ParseHostPort(ip);
  if (!place) return Failure(place.error());
  return RouteUrl{.host = place->host, .port = place->port};
}

}  // namespace

Cluster::Cluster(Engine& engine) : engine_(engine) {
  const ClusterOptions& options = engine_.options().cluster;
  dynamic_ = options.name.empty();
  name_ = dynamic_ ? NewSecret(kNameSize) : options.name;
  explicit_ = options.routes;
}

Cluster::~Cluster() = default;

Status Cluster::Listen() {
  const ClusterOptions& options = engine_.options().cluster;
  if (options.port == 0) return Ok();
  const auto listening = ListenOn(options.host, options.port);
  if (!listening) return Failure(listening.error());
  acceptor_ = std::make_unique<Acceptor>(engine_, *listening, [this](int descriptor) {
    Adopt(descriptor, RouteOrigin::kAccepted, {});
  });
  return Ok();
}

void Cluster::Start() {
  if (!on()) return;
  acceptor_->Start();
  for (const RouteUrl& url : explicit_) DialAgain(url, Duration::zero());
}

void Cluster::Close() {
  closed_ = true;
  if (acceptor_ != nullptr) acceptor_->Close();
  dials_.clear();
  for (auto& [id, route] : routes_) route->Close("Server Shutdown");
}

// As many as nats-server's largest clusters have, and then some.
void Cluster::Adopt(int descriptor, RouteOrigin origin, const RouteUrl& url) {
  constexpr std::size_t kMostRoutes = 4096;
  auto route = std::make_unique<Route>(engine_, descriptor, origin, url);
  Route& made = *route;
  routes_.emplace(made.id(), std::move(route));
  if (routes_.size() > kMostRoutes) return made.Close("Too Many Routes");
  made.Start();
}

void Cluster::AddRoute(const RouteUrl& url) {
  if (!on() || closed_) return;
  const auto same = [&url](const RouteUrl& one) { return SamePlace(one, url); };
  if (std::any_of(explicit_.begin(), explicit_.end(), same)) return;
  explicit_.push_back(url);
  DialAgain(url, Duration::zero());
}

void Cluster::RemoveRoute(const RouteUrl& url) {
  std::erase_if(explicit_, [&url](const RouteUrl& one) { return SamePlace(one, url); });
  std::erase_if(dials_, [&url](const auto& dial) { return SamePlace(dial->url(), url); });
  for (auto& [id, route] : routes_) {
    if (SamePlace(route->url(), url)) route->Close("Route Removed");
  }
}

bool Cluster::IsExplicit(const RouteUrl& url) const {
  return std::any_of(explicit_.begin(), explicit_.end(),
                     [&url](const RouteUrl& one) { return SamePlace(one, url); });
}

bool Cluster::IsTaken(const RouteUrl& url) const {
  const auto dialled = [&url](const auto& dial) { return SamePlace(dial->url(), url); };
  if (std::any_of(dials_.begin(), dials_.end(), dialled)) return true;
  return std::any_of(routes_.begin(), routes_.end(), [&url](const auto& entry) {
    return !entry.second->closing() && SamePlace(entry.second->url(), url);
  });
}

void Cluster::DialAgain(const RouteUrl& url, Duration delay) {
  if (closed_ || engine_.lame_duck() || !IsExplicit(url) || IsTaken(url)) return;
  dials_.push_back(std::make_unique<Dial>(engine_, *this, RouteOrigin::kExplicit, url, -1));
  dials_.back()->Start(delay);
}

void Cluster::OnDialled(Dial& dial, int descriptor, RouteOrigin origin) {
  const RouteUrl url = dial.url();
  EndDial(dial);
  Adopt(descriptor, origin, url);
}

// It goes when the turn ends: it may be at work.
void Cluster::EndDial(Dial& dial) {
  const auto is = [&dial](const auto& one) { return one.get() == &dial; };
  const auto found = std::find_if(dials_.begin(), dials_.end(), is);
  if (found == dials_.end()) return;
  engine_.loop().Post([ended = std::shared_ptr<Dial>(std::move(*found))] {});
  dials_.erase(found);
}

bool Cluster::Agree(const std::string& cluster, bool dynamic, bool solicited, const Route& route) {
  if (cluster == name_) return true;
  // Servers up to 2.1 have no name. Who has chosen a name lets them in only where it dialled.
  if (cluster.empty()) return dynamic_ || solicited;
  if (!dynamic_) return dynamic;
  if (dynamic && cluster < name_) return true;  // it takes ours
  TakeName(cluster, route);
  return true;
}

// Whoever is still of the old name is dialled again, or dials again.
void Cluster::TakeName(const std::string& name, const Route& route) {
  name_ = name;
  for (auto& [id, other] : routes_) {
    if (other.get() != &route && other->remote().cluster != name_) {
      other->Close("Cluster Name Conflict");
    }
  }
  engine_.InfoChanged();
}

Cluster::Standing Cluster::Register(Route& route) {
  const std::string& remote = route.remote().server_id;
  if (remote == engine_.id()) return Standing::kRefused;
  const auto found = by_server_.find(remote);
  if (found == by_server_.end()) {
    if (HasName(route)) return Standing::kRefused;
    by_server_.emplace(remote, &route);
    PassOn(route);
    return Standing::kRegistered;
  }
  // Two servers that dial each other at once: if each closed the other's connection, none would be
  // left. The one with the greater id decides, the other sees what becomes of it.
  if (route.origin() == RouteOrigin::kExplicit) found->second->BecomeExplicit(route.url());
  return engine_.id() > remote ? Standing::kRefused : Standing::kWaiting;
}

// Two servers of one name would be taken for one by those who look at them.
bool Cluster::HasName(const Route& route) const {
  const RouteInfo& info = route.remote();
  if (route.origin() != RouteOrigin::kAccepted || info.server_name.empty()) return false;
  if (info.server_name == engine_.name()) return true;
  return std::any_of(by_server_.begin(), by_server_.end(), [&info](const auto& entry) {
    return entry.second->remote().server_name == info.server_name;
  });
}

// The others hear of the newcomer, and dial it.
void Cluster::PassOn(const Route& newcomer) {
  if (by_server_.size() < 2) return;
  const std::string line = newcomer.RemoteForOthers().Line();
  for (auto& [server, route] : by_server_) {
    if (route != &newcomer) route->Send(line);
  }
}

void Cluster::Hear(const RouteInfo& info) {
  if (closed_ || info.server_id == engine_.id() || by_server_.contains(info.server_id)) return;
  const auto url = UrlOf(info.ip);
  if (!url || IsExplicit(*url) || IsTaken(*url)) return;
  constexpr std::size_t kMostDials = 1024;
  if (dials_.size() >= kMostDials) return;
  const int retries = engine_.options().cluster.connect_retries;
  dials_.push_back(std::make_unique<Dial>(engine_, *this, RouteOrigin::kImplicit, *url, retries));
  dials_.back()->Start(Duration::zero());
}

void Cluster::Release(Route& route) {
  const std::string remote = route.remote().server_id;
  const RouteUrl url = route.url();
  const bool again = route.origin() == RouteOrigin::kExplicit && remote != engine_.id();
  const auto found = by_server_.find(remote);
  const bool was_the_one = found != by_server_.end() && found->second == &route;
  if (was_the_one) by_server_.erase(found);
  const auto owned = routes_.find(route.id());
  engine_.Log(LogLevel::kDebug,
              "route " + std::to_string(route.id()) + " closed: " + route.reason());
  engine_.Bury(std::move(owned->second));
  routes_.erase(owned);
  if (closed_) return;
  if (was_the_one) {
    PromoteWaiting(remote);
    UrlsChanged();
  }
  if (again) DialAgain(url, kRest + Jitter());
}

// A second connection with the same server takes the place of the first.
void Cluster::PromoteWaiting(const std::string& server) {
  for (auto& [id, route] : routes_) {
    if (!route->waiting() || route->closing() || route->remote().server_id != server) continue;
    return route->Promote();
  }
}

void Cluster::InterestChanged(Account& account, const Subscription& subscription, int change) {
  if (!on()) return;
  std::string key = subscription.subject;
  if (!subscription.queue.empty()) key.append(" ").append(subscription.queue);
  const auto [entry, fresh] = account.interest.try_emplace(std::move(key), 0);
  entry->second += change;
  const std::uint32_t count = entry->second;
  if (count == 0) account.interest.erase(entry);
  const bool told = subscription.queue.empty() && (change > 0 ? count > 1 : count > 0);
  if (told) return;
  for (auto& [server, route] : by_server_) {
    if (!route->registered() || route->closing()) continue;
    route->SendInterest(count == 0 ? "RS-" : "RS+", account, subscription.subject,
                        subscription.queue, count);
  }
}

void Cluster::SendAllInterest(Route& route) {
  for (const auto& [name, account] : engine_.accounts()) {
    for (const auto& [key, count] : account->interest) {
      const std::string_view text = key;
      const std::size_t space = text.find(' ');
      const std::string_view queue =
          space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
      route.SendInterest("RS+", *account, text.substr(0, space), queue, count);
    }
  }
}

RouteInfo Cluster::OwnInfo() const {
  const Options& options = engine_.options();
  RouteInfo info{.server_id = engine_.id(),
                 .server_name = engine_.name(),
                 .version = std::string(Server::kVersion),
                 .protocol = kProtocol,
                 .host = options.cluster.host,
                 .port = port(),
                 .auth_required = !options.cluster.user.empty(),
                 .tls_required = options.cluster.tls.on(),
                 .max_payload = options.max_payload,
                 .cluster = name_,
                 .cluster_dynamic = dynamic_,
                 .headers = true,
                 .lame_duck = engine_.lame_duck()};
  if (const auto place = ParseHostPort(options.cluster.advertise)) {
    info.host = place->host;
    info.port = place->port == 0 ? port() : place->port;
    info.ip =
        "nats-route://" + JoinHostPort(info.host, static_cast<std::uint16_t>(info.port)) + "/";
  }
  if (!options.cluster.no_advertise && !engine_.lame_duck()) {
    info.connect_urls = OwnUrls(options, engine_.client_port());
  }
  return info;
}

void Cluster::Describe(ClientInfo& info) const {
  if (!on()) return;
  info.cluster = name_;
  info.cluster_dynamic = dynamic_;
  if (engine_.options().cluster.no_advertise) return;
  if (!engine_.lame_duck()) info.connect_urls = OwnUrls(engine_.options(), engine_.client_port());
  for (const auto& [server, route] : by_server_) {
    for (const std::string& url : route->remote().connect_urls) {
      const auto& urls = info.connect_urls;
      if (std::find(urls.begin(), urls.end(), url) == urls.end()) info.connect_urls.push_back(url);
    }
  }
}

void Cluster::UrlsChanged() {
  ClientInfo info;
  Describe(info);
  if (std::exchange(told_urls_, info.connect_urls) != info.connect_urls) engine_.InfoChanged();
}

void Cluster::TellLameDuck() {
  if (!on()) return;
  const std::string line = OwnInfo().Line();
  for (auto& [server, route] : by_server_) route->Send(line);
}

void Cluster::AddTraffic(Traffic& traffic) const {
  for (const auto& [id, route] : routes_) traffic += route->traffic();
}

std::vector<RouteStats> Cluster::Routes() const {
  std::vector<RouteStats> all;
  for (const auto& [server, route] : by_server_) all.push_back(route->Stats());
  return all;
}

}  // namespace micro::natsd
