#include "registry/memory/memory.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/misconfigured.h"
#include "registry/merge.h"
#include "registry/unused_options.h"
#include "registry/watchers.h"

namespace micro {
namespace {

using Clock = std::chrono::steady_clock;

class MemoryRegistry final : public Registry {
 public:
  MemoryRegistry() = default;
  ~MemoryRegistry() override;

  std::string_view name() const override { return "memory"; }
  Status Register(const ServiceInfo& service, const RegisterOptions& options) override;
  Status Deregister(const ServiceInfo& service) override;
  Result<std::vector<ServiceInfo>> GetService(std::string_view service) override;
  Result<std::vector<ServiceInfo>> ListServices() override;
  Result<Subscription> Watch(std::string_view service, Watcher watcher) override;

 private:
  // One node with the service it belongs to.
  struct Entry {
    ServiceInfo service;
    Clock::time_point expiry = Clock::time_point::max();
  };
  using Key = std::pair<std::string, std::string>;  // service name, node id

  void Put(ServiceInfo one, Clock::time_point expiry);
  void Expire();
  Clock::time_point NextExpiry() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Entry> entries_;
  bool stopping_ = false;
  Watchers watchers_;
  std::thread expirer_;  // from the first registration with a TTL on
};

ServiceInfo WithNode(const ServiceInfo& service, const Node& node) {
  ServiceInfo one = service;
  one.nodes = {node};
  return one;
}

MemoryRegistry::~MemoryRegistry() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (expirer_.joinable()) expirer_.join();
}

Status MemoryRegistry::Register(const ServiceInfo& service, const RegisterOptions& options) {
  if (service.name.empty()) return InvalidArgument("a service needs a name to be registered");
  if (service.nodes.empty()) {
    return InvalidArgument("service \"" + service.name + "\" has no node to register");
  }
  const bool lives_on = options.ttl <= std::chrono::nanoseconds::zero();
  const auto expiry = lives_on ? Clock::time_point::max() : Clock::now() + options.ttl;
  const std::scoped_lock lock(mutex_);
  for (const Node& node : service.nodes) Put(WithNode(service, node), expiry);
  if (!lives_on && !expirer_.joinable()) expirer_ = std::thread([this] { Expire(); });
  changed_.notify_all();
  return Ok();
}

void MemoryRegistry::Put(ServiceInfo one, Clock::time_point expiry) {
  const auto [at, created] = entries_.try_emplace({one.name, one.nodes[0].id});
  Entry& entry = at->second;
  entry.expiry = expiry;
  if (!created && entry.service == one) return;
  const bool moved = !created && entry.service.version != one.version;
  if (moved) watchers_.Tell({Change::Kind::kDelete, entry.service});
  entry.service = std::move(one);
  watchers_.Tell({created || moved ? Change::Kind::kCreate : Change::Kind::kUpdate, entry.service});
}

Status MemoryRegistry::Deregister(const ServiceInfo& service) {
  const std::scoped_lock lock(mutex_);
  for (const Node& node : service.nodes) {
    const auto gone = entries_.extract({service.name, node.id});
    if (gone) watchers_.Tell({Change::Kind::kDelete, gone.mapped().service});
  }
  return Ok();
}

Result<std::vector<ServiceInfo>> MemoryRegistry::GetService(std::string_view service) {
  const std::scoped_lock lock(mutex_);
  std::vector<ServiceInfo> found;
  const auto now = Clock::now();
  for (auto at = entries_.lower_bound({std::string(service), ""});
       at != entries_.end() && at->first.first == service; ++at) {
    if (at->second.expiry > now) MergeService(found, at->second.service);
  }
  if (!found.empty()) return found;
  return Fails(Error(Code::kNotFound, "no \"" + std::string(service) + "\" among the " +
                                          std::to_string(entries_.size()) +
                                          " nodes registered in this process (registry memory)")
                   .set_phase(Phase::kResolve));
}

Result<std::vector<ServiceInfo>> MemoryRegistry::ListServices() {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::vector<ServiceInfo>> by_name;
  const auto now = Clock::now();
  for (const auto& [key, entry] : entries_) {
    if (entry.expiry > now) MergeService(by_name[key.first], entry.service);
  }
  std::vector<ServiceInfo> all;
  for (auto& [name, services] : by_name) std::ranges::move(services, std::back_inserter(all));
  return all;
}

Result<Subscription> MemoryRegistry::Watch(std::string_view service, Watcher watcher) {
  return watchers_.Add(service, std::move(watcher));
}

Clock::time_point MemoryRegistry::NextExpiry() const {
  auto next = Clock::time_point::max();
  for (const auto& [key, entry] : entries_) next = std::min(next, entry.expiry);
  return next;
}

void MemoryRegistry::Expire() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto now = Clock::now();
    std::erase_if(entries_, [&](const auto& each) {
      if (each.second.expiry > now) return false;
      watchers_.Tell({Change::Kind::kDelete, each.second.service});
      return true;
    });
    const auto next = NextExpiry();
    if (next == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

}  // namespace

Result<std::shared_ptr<Registry>> MakeMemoryRegistry(const RegistryConfig& config) {
  WarnOfServerOptions("memory", config);
  if (config.addresses.empty()) return std::make_shared<MemoryRegistry>();
  return Misconfigured("--registry_address=" + config.addresses[0] +
                       " has no meaning for --registry=memory, which keeps all in this process");
}

}  // namespace micro
