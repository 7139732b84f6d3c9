#include "registry/static/static.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/misconfigured.h"
#include "registry/bad_records.h"
#include "registry/static/address_file.h"
#include "registry/static/entries.h"
#include "registry/unused_options.h"
#include "registry/watchers.h"

namespace micro {
namespace {

using static_registry::AddressFile;
using static_registry::Entries;

constexpr std::chrono::milliseconds kPoll{250};

class StaticRegistry final : public Registry {
 public:
  StaticRegistry(Entries given, std::vector<AddressFile> files, const RegistryConfig& config)
      : given_(std::move(given)),
        files_(std::move(files)),
        logger_(config.logger),
        bad_records_("static", config.logger, config.metrics) {
    entries_ = Gather();
  }
  ~StaticRegistry() override;

  std::string_view name() const override { return "static"; }
  Status Register(const ServiceInfo&, const RegisterOptions&) override;
  Status Deregister(const ServiceInfo&) override { return Ok(); }
  Result<std::vector<ServiceInfo>> GetService(std::string_view service) override;
  Result<std::vector<ServiceInfo>> ListServices() override;
  Result<Subscription> Watch(std::string_view service, Watcher watcher) override;

 private:
  Entries Gather() const;
  void Refresh();
  bool Refresh(AddressFile& file);
  void TellDifference(const Entries& before);
  void Poll();
  std::string Configured() const;

  const Entries given_;
  std::mutex mutex_;
  std::condition_variable stop_;
  std::vector<AddressFile> files_;
  Entries entries_;
  const std::shared_ptr<Logger> logger_;
  BadRecords bad_records_;
  Watchers watchers_;
  bool stopping_ = false;
  std::thread poller_;  // from the first watch on, if there is a file
};

StaticRegistry::~StaticRegistry() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    stop_.notify_all();
  }
  if (poller_.joinable()) poller_.join();
}

Status StaticRegistry::Register(const ServiceInfo& service, const RegisterOptions&) {
  if (service.name.empty()) return InvalidArgument("a service needs a name to be registered");
  if (!service.nodes.empty()) return Ok();
  return InvalidArgument("service \"" + service.name + "\" has no node to register");
}

void Append(const Entries& from, Entries& to) {
  for (const auto& [service, addresses] : from) {
    auto& all = to[service];
    all.insert(all.end(), addresses.begin(), addresses.end());
  }
}

Entries StaticRegistry::Gather() const {
  Entries all = given_;
  for (const AddressFile& file : files_) Append(file.entries(), all);
  return all;
}

void StaticRegistry::Refresh() {
  bool changed = false;
  for (AddressFile& file : files_) changed = Refresh(file) || changed;
  if (!changed) return;
  const Entries before = std::exchange(entries_, Gather());
  TellDifference(before);
}

bool StaticRegistry::Refresh(AddressFile& file) {
  const auto refreshed = file.Refresh();
  if (refreshed) {
    if (*refreshed)
      std::ranges::for_each(file.faults(), [this](auto& each) { bad_records_.Note(each); });
    return *refreshed;
  }
  if (logger_) {
    logger_->Write(LogLevel::kError,
                   "registry static keeps the addresses it has: " + refreshed.error().detail());
  }
  return false;
}

// The nodes of `service` that `other` lacks.
ServiceInfo Without(ServiceInfo service, const ServiceInfo& other) {
  std::erase_if(service.nodes, [&](const Node& node) {
    return std::ranges::find(other.nodes, node) != other.nodes.end();
  });
  return service;
}

// An address for every service concerns the services that are named, and those that are watched.
void StaticRegistry::TellDifference(const Entries& before) {
  const auto watched = watchers_.services();
  std::set<std::string> names(watched.begin(), watched.end());
  for (const Entries* entries : {&before, static_cast<const Entries*>(&entries_)}) {
    for (const auto& [name, addresses] : *entries) {
      if (!name.empty()) names.insert(name);
    }
  }
  for (const std::string& name : names) {
    const ServiceInfo was = static_registry::ServiceOf(name, before);
    const ServiceInfo is = static_registry::ServiceOf(name, entries_);
    ServiceInfo created = Without(is, was);
    ServiceInfo deleted = Without(was, is);
    if (!created.nodes.empty()) watchers_.Tell({Change::Kind::kCreate, std::move(created)});
    if (!deleted.nodes.empty()) watchers_.Tell({Change::Kind::kDelete, std::move(deleted)});
  }
}

std::string StaticRegistry::Configured() const {
  std::string text;
  for (const auto& [service, addresses] : entries_) {
    for (const std::string& address : addresses) {
      text += (text.empty() ? "" : ", ") + (service.empty() ? "" : service + "=") + address;
    }
  }
  return text.empty() ? "nothing" : text;
}

Result<std::vector<ServiceInfo>> StaticRegistry::GetService(std::string_view service) {
  const std::scoped_lock lock(mutex_);
  Refresh();
  ServiceInfo found = static_registry::ServiceOf(std::string(service), entries_);
  if (!found.nodes.empty()) return std::vector{std::move(found)};
  return Fails(Error(Code::kNotFound,
                     "no address for \"" + std::string(service) +
                         "\" in --registry_address of registry static, which has " + Configured())
                   .set_phase(Phase::kResolve));
}

Result<std::vector<ServiceInfo>> StaticRegistry::ListServices() {
  const std::scoped_lock lock(mutex_);
  Refresh();
  std::vector<ServiceInfo> all;
  for (const auto& [name, addresses] : entries_) {
    if (!name.empty()) all.push_back(static_registry::ServiceOf(name, entries_));
  }
  return all;
}

Result<Subscription> StaticRegistry::Watch(std::string_view service, Watcher watcher) {
  const std::scoped_lock lock(mutex_);
  if (!files_.empty() && !poller_.joinable()) poller_ = std::thread([this] { Poll(); });
  return watchers_.Add(service, std::move(watcher));
}

void StaticRegistry::Poll() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kPoll, [this] { return stopping_; })) Refresh();
}

// The path of a `file:` item; empty when `item` is none.
std::string PathOf(std::string_view item) {
  if (!item.starts_with("file:")) return "";
  item.remove_prefix(5);
  if (item.starts_with("//")) item.remove_prefix(2);
  return std::string(item);
}

Status AddItem(const std::string& item, Entries& given, std::vector<AddressFile>& files) {
  const std::string path = PathOf(item);
  if (path.empty()) return static_registry::AddEntry(item, given);
  AddressFile file(path);
  if (const auto read = file.Refresh(); !read) return Fails(read.error());
  if (!file.faults().empty()) return InvalidArgument(file.faults().front());
  files.push_back(std::move(file));
  return Ok();
}

}  // namespace

Result<std::shared_ptr<Registry>> MakeStaticRegistry(const RegistryConfig& config) {
  WarnOfServerOptions("static", config);
  if (config.addresses.empty()) {
    return Misconfigured(
        "--registry=static needs --registry_address, such as host:port, service=host:port or "
        "file:PATH");
  }
  Entries given;
  std::vector<AddressFile> files;
  for (const std::string& item : config.addresses) {
    if (const Status added = AddItem(item, given, files); !added) {
      return Misconfigured("--registry_address=" + item + ": " + added.error().detail());
    }
  }
  return std::make_shared<StaticRegistry>(std::move(given), std::move(files), config);
}

}  // namespace micro
