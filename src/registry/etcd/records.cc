#include "registry/etcd/records.h"

#include <algorithm>

#include "net/target.h"
#include "registry/json.h"

namespace micro::etcd {
namespace {

// Beyond so many bad ones, some are counted and logged again.
constexpr std::size_t kMostRemembered = 1024;

// Others may have written whatever they like into what we log.
std::string OneLine(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return text;
}

}  // namespace

Records::Records(std::shared_ptr<Logger> logger, Metrics* metrics) : logger_(std::move(logger)) {
  if (metrics == nullptr) return;
  bad_ = &metrics->GetCounter("micro_registry_bad_records_total",
                              "Records in the registry that could not be used",
                              {{"registry", "etcd"}});
}

std::optional<ServiceInfo> Records::Read(const wire::KeyValue& kv) {
  auto service = registry_json::ReadService(kv.value());
  if (!service) {
    Complain(kv, service.error().detail());
    return std::nullopt;
  }
  std::string fault = service->name.empty() ? "the service has no name" : "";
  if (fault.empty() && service->nodes.empty()) fault = "the service has no node";
  std::erase_if(service->nodes, [&](const Node& node) {
    std::string why = FaultOf(node);
    const bool unusable = !why.empty();
    if (unusable) fault = std::move(why);
    return unusable;
  });
  if (!fault.empty()) Complain(kv, fault);
  if (service->name.empty() || service->nodes.empty()) return std::nullopt;
  return *std::move(service);
}

void Records::Complain(const wire::KeyValue& kv, const std::string& why) {
  {
    const std::scoped_lock lock(mutex_);
    if (known_bad_.size() >= kMostRemembered) known_bad_.clear();
    if (!known_bad_.emplace(kv.key(), kv.mod_revision()).second) return;
  }
  if (bad_ != nullptr) bad_->Add();
  if (logger_ == nullptr) return;
  logger_->Write(LogLevel::kWarn,
                 OneLine("registry etcd passes over what stands at " + kv.key() + ": " + why));
}

std::string FaultOf(const Node& node) {
  if (node.id.empty()) return "a node has no id";
  const auto target = net::ParseTarget(node.address);
  return target ? "" : "node " + node.id + ": " + target.error().detail();
}

std::string ValueOf(const ServiceInfo& service, const Node& node) {
  ServiceInfo one = service;
  one.nodes = {node};
  return registry_json::WriteService(one);
}

}  // namespace micro::etcd
