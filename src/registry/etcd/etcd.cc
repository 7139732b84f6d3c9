#include "registry/etcd/etcd.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "base/misconfigured.h"
#include "registry/etcd/client.h"
#include "registry/etcd/keys.h"
#include "registry/etcd/records.h"
#include "registry/etcd/registrations.h"
#include "registry/etcd/servers.h"
#include "registry/etcd/watch.h"
#include "registry/merge.h"
#include "registry/watchers.h"

namespace micro {
namespace {

using etcd::Client;
using etcd::KeyOf;
using etcd::Records;
using etcd::Registrations;
using etcd::Watch;

// A fleet's whole registry may come as one message.
constexpr std::size_t kMostAtOnce = 512U << 20U;
// etcd closes connections that ping more often than every 5 s (--grpc-keepalive-min-time).
constexpr transport::Lifetimes kLifetimes{.keepalive_time = std::chrono::seconds(8),
                                          .keepalive_timeout = std::chrono::seconds(4)};

Failure Resolving(Error error) { return Fails(error.set_phase(Phase::kResolve)); }

class EtcdRegistry final : public Registry, public std::enable_shared_from_this<EtcdRegistry> {
 public:
  explicit EtcdRegistry(const RegistryConfig& config);
  EtcdRegistry(const EtcdRegistry&) = delete;
  EtcdRegistry& operator=(const EtcdRegistry&) = delete;
  ~EtcdRegistry() override;

  /// Once, before anything else.
  Status Prepare(const RegistryConfig& config, std::vector<std::string> servers,
                 const TransportFactory& make_transport);

  std::string_view name() const override { return "etcd"; }
  Status Register(const ServiceInfo& service, const RegisterOptions& options) override;
  Status Deregister(const ServiceInfo& service) override;
  Result<std::vector<ServiceInfo>> GetService(std::string_view service) override;
  Result<std::vector<ServiceInfo>> ListServices() override;
  Result<Subscription> Watch(std::string_view service, Watcher watcher) override;

 private:
  struct Watched {
    std::shared_ptr<etcd::Watch> watch;
    int users = 0;
  };

  EventLoop& loop() { return runtime_.loop(0); }
  Task<Result<std::vector<ServiceInfo>>> Range(std::string service);
  Task<void> BeginWatch(std::string service);
  void EndWatch(const std::string& service);
  Task<void> Close();

  const std::shared_ptr<Logger> logger_;
  const std::shared_ptr<Records> records_;
  // Those of one service each, and those of all: each is told by its own streams alone.
  Watchers each_;
  Watchers all_;
  std::shared_ptr<Client> client_;
  std::shared_ptr<Registrations> registrations_;
  std::map<std::string, Watched> watched_;  // touched on the loop only
  Runtime runtime_;                         // destroyed first: what it runs uses the rest
};

EtcdRegistry::EtcdRegistry(const RegistryConfig& config)
    : logger_(config.logger),
      records_(std::make_shared<Records>(config.logger, config.metrics)),
      runtime_({.loops = 1, .workers = 1, .logger = config.logger}) {}

std::string FromEnvironment(const std::string& given, const char* variable) {
  const char* value = given.empty() ? std::getenv(variable) : nullptr;
  return value == nullptr ? given : value;
}

Status EtcdRegistry::Prepare(const RegistryConfig& config, std::vector<std::string> servers,
                             const TransportFactory& make_transport) {
  auto transport = make_transport({.runtime = &runtime_,
                                   .limits = {.max_message = kMostAtOnce},
                                   .lifetimes = kLifetimes,
                                   .tls = {.cert = config.tls_cert,
                                           .key = config.tls_key,
                                           .ca = config.tls_ca,
                                           .server_name = config.tls_server_name,
                                           .dial = config.tls}});
  if (!transport) {
    // It speaks of its own options.
    std::string detail = transport.error().detail();
    for (std::size_t at = 0; (at = detail.find("--tls", at)) != std::string::npos; at += 5) {
      detail.insert(at + 2, "registry_");
    }
    return Misconfigured(detail);
  }
  client_ = std::make_shared<Client>(
      *std::move(transport),
      Client::Options{.servers = std::move(servers),
                      .username = FromEnvironment(config.username, "ETCD_USERNAME"),
                      .password = FromEnvironment(config.password, "ETCD_PASSWORD"),
                      .timeout = config.timeout});
  registrations_ = std::make_shared<Registrations>(client_, logger_);
  loop().Post([registrations = registrations_] { registrations->Start(); });
  return Ok();
}

EtcdRegistry::~EtcdRegistry() {
  if (client_) (void)Await(loop(), Close());
}

// Nothing of ours runs on the loop from then on.
Task<void> EtcdRegistry::Close() {
  for (auto& [service, watched] : watched_) watched.watch->Stop();
  co_await registrations_->Stop();
  client_->Close();
}

Result<std::vector<Registrations::Record>> RecordsOf(const ServiceInfo& service) {
  if (service.name.empty()) return InvalidArgument("a service needs a name to be registered");
  if (service.nodes.empty()) {
    return InvalidArgument("service \"" + service.name + "\" has no node to register");
  }
  std::vector<Registrations::Record> records;
  for (const Node& node : service.nodes) {
    if (const std::string fault = etcd::FaultOf(node); !fault.empty()) {
      return InvalidArgument("service \"" + service.name + "\" cannot be registered: " + fault);
    }
    records.push_back({.key = KeyOf(service.name, node.id), .value = etcd::ValueOf(service, node)});
  }
  return records;
}

Status EtcdRegistry::Register(const ServiceInfo& service, const RegisterOptions& options) {
  auto records = RecordsOf(service);
  if (!records) return Resolving(records.error());
  Status put = Await(loop(), registrations_->Put(*std::move(records), options.ttl));
  return put ? Ok() : Status(Resolving(put.error()));
}

Status EtcdRegistry::Deregister(const ServiceInfo& service) {
  std::vector<std::string> keys;
  for (const Node& node : service.nodes) keys.push_back(KeyOf(service.name, node.id));
  Status deleted = Await(loop(), registrations_->Delete(std::move(keys)));
  return deleted ? Ok() : Status(Resolving(deleted.error()));
}

// The services below one prefix, by name and version.
std::vector<ServiceInfo> Merged(Records& records, const etcd::wire::RangeResponse& response,
                                std::string_view name) {
  std::map<std::string, std::vector<ServiceInfo>> by_name;
  for (const auto& kv : response.kvs()) {
    auto service = records.Read(kv);
    if (!service || (!name.empty() && service->name != name)) continue;
    auto& services = by_name[service->name];
    MergeService(services, *std::move(service));
  }
  std::vector<ServiceInfo> all;
  for (auto& [key, services] : by_name) std::ranges::move(services, std::back_inserter(all));
  return all;
}

Task<Result<std::vector<ServiceInfo>>> EtcdRegistry::Range(std::string service) {
  etcd::wire::RangeRequest request;
  request.set_key(etcd::PrefixOf(service));
  request.set_range_end(etcd::EndOf(etcd::PrefixOf(service)));
  request.set_serializable(true);
  etcd::wire::RangeResponse response;
  const Status read = co_await client_->Call("KV/Range", request, response, {});
  if (!read) co_return Failure(read.error());
  auto found = Merged(*records_, response, service);
  if (!found.empty() || service.empty()) co_return found;
  co_return NotFound("no \"" + service + "\" in etcd at " + client_->where() + ", which has " +
                     std::to_string(response.kvs_size()) + " records at " +
                     etcd::PrefixOf(service));
}

Result<std::vector<ServiceInfo>> EtcdRegistry::GetService(std::string_view service) {
  if (service.empty()) return Resolving(Error(Code::kNotFound, "a service has a name"));
  auto found = Await(loop(), Range(std::string(service)));
  if (!found) return Resolving(found.error());
  return found;
}

Result<std::vector<ServiceInfo>> EtcdRegistry::ListServices() {
  auto found = Await(loop(), Range(""));
  if (!found) return Resolving(found.error());
  return found;
}

Result<Subscription> EtcdRegistry::Watch(std::string_view service, Watcher watcher) {
  Watchers& watchers = service.empty() ? all_ : each_;
  Subscription told = watchers.Add(service, std::move(watcher));
  const std::string name(service);
  if (Status begun = Await(loop(), BeginWatch(name)); !begun) return Resolving(begun.error());
  return Subscription([told = std::move(told), weak = weak_from_this(), name]() mutable {
    told.Stop();
    const auto self = weak.lock();
    if (self) self->loop().Post([registry = self.get(), name] { registry->EndWatch(name); });
  });
}

// A watch that cannot begin now begins later.
Task<void> EtcdRegistry::BeginWatch(std::string service) {
  Watched& watched = watched_[service];
  if (watched.users++ == 0) {
    Watchers& watchers = service.empty() ? all_ : each_;
    watched.watch = std::make_shared<etcd::Watch>(
        service, client_, records_, logger_,
        [&watchers](Change change) { return watchers.Tell(std::move(change)); });
    watched.watch->Start();
  }
  const std::shared_ptr<etcd::Watch> watch = watched.watch;
  co_await watch->Begun();
}

void EtcdRegistry::EndWatch(const std::string& service) {
  const auto found = watched_.find(service);
  if (found == watched_.end() || --found->second.users > 0) return;
  found->second.watch->Stop();
  watched_.erase(found);
}

}  // namespace

Result<std::shared_ptr<Registry>> MakeEtcdRegistry(const RegistryConfig& config,
                                                   const TransportFactory& make_transport) {
  auto servers = etcd::ParseServers(config.addresses);
  if (!servers) return Misconfigured("--registry_address: " + servers.error().detail());
  if (config.timeout <= Duration::zero()) {
    return Misconfigured("--registry_timeout: etcd needs time to answer");
  }
  try {
    auto registry = std::make_shared<EtcdRegistry>(config);
    const Status prepared = registry->Prepare(config, *std::move(servers), make_transport);
    if (!prepared) return Failure(prepared.error());
    return registry;
  } catch (const std::exception& error) {  // the thread's, when the system has no more
    return Fails(Error(Code::kUnavailable, "etcd cannot start: " + std::string(error.what()))
                     .set_phase(Phase::kResolve));
  }
}

}  // namespace micro
