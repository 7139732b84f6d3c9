#include "discovery/directory.h"

#include <utility>
#include <vector>

namespace micro::discovery {
namespace {

constexpr std::size_t kLookupThreads = 4;
constexpr std::size_t kLookupQueue = 1024;

std::string Joined(std::span<const std::string> addresses) {
  std::string all;
  for (const std::string& address : addresses) all += (all.empty() ? "" : ",") + address;
  return all;
}

}  // namespace

Directory::Directory(Surroundings around)
    : around_(std::move(around)),
      lookups_(std::make_unique<runtime::WorkerPool>(kLookupThreads, kLookupQueue)) {}

Directory::~Directory() {
  for (const auto& [name, endpoints] : services_) endpoints->Close();
  lookups_.reset();
  for (const auto& [name, endpoints] : services_) endpoints->Stop();
}

std::shared_ptr<Endpoints> Directory::Make(const std::string& service) const {
  return std::make_shared<Endpoints>(service, around_, *lookups_);
}

std::shared_ptr<Endpoints> Directory::Find(const std::string& service) {
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(service);
  if (found != services_.end()) return found->second;
  DropUnknown();
  return services_.emplace(service, Make(service)).first->second;
}

std::shared_ptr<Endpoints> Directory::At(std::span<const std::string> addresses) {
  const std::lock_guard lock(mutex_);
  if (lists_.size() >= kMostUnknown) lists_.clear();
  auto& list = lists_[Joined(addresses)];
  if (!list) {
    list = Make(Joined(addresses));
    list->Fix(addresses);
  }
  return list;
}

std::vector<ServiceReport> Directory::Report() const {
  std::vector<std::shared_ptr<Endpoints>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto* services : {&services_, &lists_}) {
      for (const auto& [name, endpoints] : *services) all.push_back(endpoints);
    }
  }
  std::vector<ServiceReport> reports;
  std::size_t nodes = 0;
  for (const auto& endpoints : all) {
    if (nodes >= kMostReported) break;
    reports.push_back(endpoints->Report());
    nodes += reports.back().nodes.size();
  }
  return reports;
}

// Whoever makes up names does not fill the memory with them.
void Directory::DropUnknown() {
  std::vector<Services::iterator> unknown;
  for (auto at = services_.begin(); at != services_.end(); ++at) {
    if (!at->second->known() && at->second.use_count() == 1) unknown.push_back(at);
  }
  if (unknown.size() < kMostUnknown) return;
  std::vector<std::shared_ptr<Endpoints>> dropped;
  for (const auto& at : unknown) dropped.push_back(services_.extract(at).mapped());
  for (const auto& endpoints : dropped) endpoints->Close();
  // Watches end where that may block.
  lookups_->Submit([dropped] {
    for (const auto& endpoints : dropped) endpoints->Stop();
  });
}

}  // namespace micro::discovery
