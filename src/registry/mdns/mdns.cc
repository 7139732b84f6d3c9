#include "registry/mdns/mdns.h"

#include <set>

#include "registry/mdns/links.h"
#include "registry/mdns/records.h"
#include "registry/mdns/resolver.h"
#include "registry/mdns/responder.h"
#include "registry/merge.h"
#include "registry/unused_options.h"

namespace micro {
namespace {

using mdns::Instance;
using mdns::Name;

class MdnsRegistry final : public Registry {
 public:
  explicit MdnsRegistry(const RegistryConfig& config)
      : interfaces_(config.addresses),
        bad_records_("mdns", config.logger, config.metrics),
        responder_(mdns::Responder::Shared(config.addresses, config.logger)),
        resolver_(&bad_records_) {
    responder_->TellBadRecords(&bad_records_);
  }
  ~MdnsRegistry() override;

  std::string_view name() const override { return "mdns"; }
  Status Register(const ServiceInfo& service, const RegisterOptions& options) override;
  Status Deregister(const ServiceInfo& service) override;
  Result<std::vector<ServiceInfo>> GetService(std::string_view service) override;
  Result<std::vector<ServiceInfo>> ListServices() override;
  Result<Subscription> Watch(std::string_view service, Watcher watcher) override;

 private:
  std::vector<std::string> interfaces_;
  BadRecords bad_records_;
  std::shared_ptr<mdns::Responder> responder_;
  mdns::Resolver resolver_;
  std::mutex mutex_;
  std::set<Name> announced_;  // what this registry has to take back at its end
};

Failure Resolving(Error error) { return Fails(error.set_phase(Phase::kResolve)); }

Result<std::vector<Instance>> InstancesOf(const ServiceInfo& service) {
  if (service.name.empty()) return InvalidArgument("a service needs a name to be registered");
  if (service.nodes.empty()) {
    return InvalidArgument("service \"" + service.name + "\" has no node to register");
  }
  std::vector<Instance> instances;
  for (const Node& node : service.nodes) {
    auto instance = mdns::MakeInstance(service, node);
    if (!instance) return Fails(instance.error());
    instances.push_back(*std::move(instance));
  }
  return instances;
}

MdnsRegistry::~MdnsRegistry() {
  for (const Name& instance : announced_) responder_->Withdraw(instance);
  responder_->ForgetBadRecords(&bad_records_);
}

Status MdnsRegistry::Register(const ServiceInfo& service, const RegisterOptions& options) {
  auto instances = InstancesOf(service);
  if (!instances) return Resolving(instances.error());
  for (Instance& instance : *instances) {
    Name name = instance.instance;
    const Status announced = responder_->Announce(std::move(instance), options.ttl);
    if (!announced) return Resolving(announced.error());
    const std::scoped_lock lock(mutex_);
    announced_.insert(std::move(name));
  }
  return Ok();
}

Status MdnsRegistry::Deregister(const ServiceInfo& service) {
  for (const Node& node : service.nodes) {
    const auto name = mdns::InstanceName(service.name, node);
    if (!name) continue;
    responder_->Withdraw(*name);
    const std::scoped_lock lock(mutex_);
    announced_.erase(*name);
  }
  return Ok();
}

Result<std::vector<ServiceInfo>> MdnsRegistry::GetService(std::string_view service) {
  const auto links = mdns::ChooseLinks(interfaces_);
  if (!links) return Resolving(links.error());
  auto found = resolver_.Find(service, *links);
  if (!found) return Resolving(found.error());
  std::vector<ServiceInfo> services;
  for (const mdns::Sighting& each : *found) MergeService(services, each.service);
  responder_->Remember(*std::move(found));
  return services;
}

Result<std::vector<ServiceInfo>> MdnsRegistry::ListServices() {
  const auto links = mdns::ChooseLinks(interfaces_);
  if (!links) return Resolving(links.error());
  const auto names = resolver_.List(*links);
  if (!names) return Resolving(names.error());
  std::vector<ServiceInfo> services;
  for (const std::string& name : *names) services.push_back({.name = name});
  return services;
}

Result<Subscription> MdnsRegistry::Watch(std::string_view service, Watcher watcher) {
  return responder_->Watch(service, std::move(watcher));
}

}  // namespace

Result<std::shared_ptr<Registry>> MakeMdnsRegistry(const RegistryConfig& config) {
  WarnOfServerOptions("mdns", config);
  if (const auto links = mdns::ChooseLinks(config.addresses); !links) return Fails(links.error());
  try {
    return std::make_shared<MdnsRegistry>(config);
  } catch (const std::exception& error) {  // Asio's and the thread's, when the system has no more
    return Fails(Error(Code::kUnavailable, "mdns cannot start: " + std::string(error.what()))
                     .set_phase(Phase::kResolve));
  }
}

}  // namespace micro
