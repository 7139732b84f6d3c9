#include "registry/dns/dns.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <thread>

#include "base/address.h"
#include "base/backoff.h"
#include "base/dice.h"
#include "base/misconfigured.h"
#include "registry/bad_records.h"
#include "registry/dns/resolver.h"
#include "registry/dns/targets.h"
#include "registry/unused_options.h"
#include "registry/watchers.h"

namespace micro {
namespace {

using namespace std::chrono_literals;
using dns_registry::Patience;
using dns_registry::Place;
using dns_registry::Places;
using dns_registry::ResolvConf;
using dns_registry::Resolver;
using dns_registry::Target;
using dns_registry::Targets;

// Between two lookups of a service that is watched, whatever its TTL.
constexpr std::chrono::seconds kShortest = 1s;
constexpr std::chrono::seconds kLongest = 60s;
// After lookups that failed.
constexpr std::chrono::seconds kLongestRetry = 30s;

TimePoint Now() { return std::chrono::steady_clock::now(); }

Failure Resolving(Error error) { return Fails(error.set_phase(Phase::kResolve)); }

// SRV has any numbers; nodes have weights around 1. A weight of 0 is a small one (RFC 2782).
std::map<std::string, std::string> WeightOf(const Place& place, const std::vector<Place>& all) {
  double sum = 0;
  bool differ = false;
  for (const Place& each : all) {
    sum += each.weight;
    differ = differ || each.weight != all[0].weight;
  }
  if (!differ) return {};
  const double mean = sum / static_cast<double>(all.size());
  return {{"weight", std::to_string(std::max(place.weight / mean, 0.01))}};
}

ServiceInfo ServiceOf(const std::string& name, const std::vector<Place>& places) {
  // go-micro's version of a service that was given none.
  ServiceInfo service{.name = name, .version = "latest"};
  for (const Place& place : places) {
    std::string address = JoinHostPort(place.host.to_string(), place.port);
    const bool known =
        std::ranges::find(service.nodes, address, &Node::address) != service.nodes.end();
    if (known) continue;
    service.nodes.push_back(
        {.id = name + "-" + address, .address = address, .metadata = WeightOf(place, places)});
  }
  return service;
}

// The nodes of `service` that `other` lacks, or has with another weight.
ServiceInfo Without(ServiceInfo service, const ServiceInfo& other) {
  std::erase_if(service.nodes, [&](const Node& node) {
    return std::ranges::find(other.nodes, node) != other.nodes.end();
  });
  return service;
}

bool HasId(const ServiceInfo& service, const std::string& id) {
  return std::ranges::find(service.nodes, id, &Node::id) != service.nodes.end();
}

class DnsRegistry final : public Registry {
 public:
  DnsRegistry(ResolvConf conf, Targets targets, const RegistryConfig& config)
      : timeout_(config.timeout),
        targets_(std::move(targets)),
        bad_records_("dns", config.logger, config.metrics),
        resolver_(std::move(conf), [this](const std::string& fault) { bad_records_.Note(fault); }) {
  }
  ~DnsRegistry() override;

  std::string_view name() const override { return "dns"; }
  Status Register(const ServiceInfo&, const RegisterOptions&) override;
  Status Deregister(const ServiceInfo&) override { return Ok(); }
  Result<std::vector<ServiceInfo>> GetService(std::string_view service) override;
  Result<std::vector<ServiceInfo>> ListServices() override;
  Result<Subscription> Watch(std::string_view service, Watcher watcher) override;

 private:
  // What a watch knows of a service.
  struct Watched {
    ServiceInfo service{};
    TimePoint began{};  // the lookup that it is from
    TimePoint next{};
    int failed = 0;        // lookups in a row
    bool doubted = false;  // DNS has said once that there is nothing
  };
  struct Found {
    ServiceInfo service{};
    std::uint32_t ttl = 0;
  };

  Result<Found> LookUp(const std::string& name);
  Result<Places> Find(const Target& target, const Patience& patience) const;
  void Take(const std::string& name, TimePoint began, const Result<Found>& found);
  void Replace(Watched& watched, ServiceInfo service);
  void Poll();
  std::vector<std::string> WatchedNames() const;
  TimePoint NextLookup();

  const Duration timeout_;
  const Targets targets_;
  BadRecords bad_records_;
  const Resolver resolver_;
  Watchers watchers_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Watched> watched_;
  bool all_watched_ = false;
  std::thread poller_;  // from the first watch on
};

DnsRegistry::~DnsRegistry() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (poller_.joinable()) poller_.join();
}

Status DnsRegistry::Register(const ServiceInfo& service, const RegisterOptions&) {
  if (service.name.empty()) return InvalidArgument("a service needs a name to be registered");
  if (!service.nodes.empty()) return Ok();
  return InvalidArgument("service \"" + service.name + "\" has no node to register");
}

Result<std::vector<ServiceInfo>> DnsRegistry::GetService(std::string_view service) {
  const TimePoint began = Now();
  const std::string name(service);
  auto found = LookUp(name);
  Take(name, began, found);
  if (!found) return Resolving(found.error());
  return std::vector{std::move(found->service)};
}

// DNS has no list; those are known that were given names of their own.
Result<std::vector<ServiceInfo>> DnsRegistry::ListServices() {
  std::vector<ServiceInfo> all;
  for (const auto& [name, target] : targets_) all.push_back({.name = name});
  return all;
}

Result<Subscription> DnsRegistry::Watch(std::string_view service, Watcher watcher) {
  Subscription watch = watchers_.Add(service, std::move(watcher));
  const std::scoped_lock lock(mutex_);
  all_watched_ = all_watched_ || service.empty();
  if (!poller_.joinable()) poller_ = std::thread([this] { Poll(); });
  changed_.notify_all();
  return watch;
}

Result<DnsRegistry::Found> DnsRegistry::LookUp(const std::string& name) {
  const auto given = targets_.find(name);
  const auto target =
      given != targets_.end() ? Result<Target>(given->second) : dns_registry::ParseTarget(name);
  if (!target) return Fails(target.error());
  const Patience patience{.until = Now() + timeout_,
                          .stopped = [this] { return stopping_.load(); }};
  const auto places = Find(*target, patience);
  if (!places) {
    return Fails(Error(places.error().code(), "no address for \"" + name + "\" in registry dns: " +
                                                  places.error().detail()));
  }
  return Found{.service = ServiceOf(name, places->places), .ttl = places->ttl};
}

Result<Places> DnsRegistry::Find(const Target& target, const Patience& patience) const {
  if (!target.port) return resolver_.FindServices(target.name, patience);
  boost::system::error_code error;
  const auto literal = boost::asio::ip::make_address(target.name, error);
  if (error) return resolver_.FindHost(target.name, *target.port, patience);
  return Places{.places = {{.host = literal, .port = *target.port}}, .ttl = kLongest.count()};
}

// What a lookup found, for those who watch; one that began later has found something newer.
void DnsRegistry::Take(const std::string& name, TimePoint began, const Result<Found>& found) {
  const std::scoped_lock lock(mutex_);
  const auto at = watched_.find(name);
  if (at == watched_.end() || at->second.began > began) return;
  Watched& watched = at->second;
  watched.began = began;
  if (found) {
    const auto ttl =
        std::clamp<std::chrono::seconds>(std::chrono::seconds(found->ttl), kShortest, kLongest);
    watched.failed = 0;
    watched.doubted = false;
    watched.next = Now() + ttl;
    return Replace(watched, found->service);
  }
  watched.next =
      Now() + Backoff(kShortest, kLongestRetry, watched.failed++, Dice::OfThread().Fraction());
  if (found.error().code() != Code::kNotFound) return;
  if (std::exchange(watched.doubted, true)) Replace(watched, {.name = name, .version = "latest"});
}

void DnsRegistry::Replace(Watched& watched, ServiceInfo service) {
  ServiceInfo deleted = watched.service;
  std::erase_if(deleted.nodes, [&](const Node& node) { return HasId(service, node.id); });
  ServiceInfo created = Without(service, watched.service);
  watched.service = std::move(service);
  if (!created.nodes.empty()) watchers_.Tell({Change::Kind::kCreate, std::move(created)});
  if (!deleted.nodes.empty()) watchers_.Tell({Change::Kind::kDelete, std::move(deleted)});
}

std::vector<std::string> DnsRegistry::WatchedNames() const {
  std::vector<std::string> names = watchers_.services();
  for (const auto& [name, target] : targets_) {
    if (all_watched_ && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

// With the mutex held.
TimePoint DnsRegistry::NextLookup() {
  const auto names = WatchedNames();
  std::erase_if(watched_, [&](const auto& each) {
    return std::ranges::find(names, each.first) == names.end();
  });
  for (const std::string& name : names) watched_.try_emplace(name);
  TimePoint next = TimePoint::max();
  for (const auto& [name, watched] : watched_) next = std::min(next, watched.next);
  return next;
}

void DnsRegistry::Poll() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimePoint next = NextLookup();
    if (next > Now()) {
      changed_.wait_until(lock, std::min(next, Now() + kLongest));
      continue;
    }
    const auto due =
        std::ranges::find_if(watched_, [&](const auto& each) { return each.second.next == next; });
    const std::string name = due->first;
    lock.unlock();
    const TimePoint began = Now();
    Take(name, began, LookUp(name));
    lock.lock();
  }
}

Status AddItem(const std::string& item, ResolvConf& conf, Targets& targets) {
  const std::size_t equals = item.find('=');
  if (equals == std::string::npos) {
    auto server = dns_registry::ParseNameserver(item);
    if (!server) return Fails(server.error());
    conf.servers.push_back(*std::move(server));
    return Ok();
  }
  if (equals == 0) return InvalidArgument("it names no service before the \"=\"");
  auto target = dns_registry::ParseTarget(std::string_view(item).substr(equals + 1));
  if (!target) return Fails(target.error());
  targets[item.substr(0, equals)] = *std::move(target);
  return Ok();
}

}  // namespace

Result<std::shared_ptr<Registry>> MakeDnsRegistry(const RegistryConfig& config) {
  WarnOfServerOptions("dns", config);
  ResolvConf conf = dns_registry::SystemResolvConf();
  const auto system = std::exchange(conf.servers, {});
  Targets targets;
  for (const std::string& item : config.addresses) {
    if (const Status added = AddItem(item, conf, targets); !added) {
      return Misconfigured("--registry_address=" + item + ": " + added.error().detail());
    }
  }
  if (conf.servers.empty()) conf.servers = system;
  return std::make_shared<DnsRegistry>(std::move(conf), std::move(targets), config);
}

}  // namespace micro
