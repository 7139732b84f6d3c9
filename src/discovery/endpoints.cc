#include "discovery/endpoints.h"

#include <algorithm>
#include <utility>

namespace micro::discovery {
namespace {

constexpr std::size_t kLookupThreads = 4;
constexpr std::size_t kLookupQueue = 1024;

bool SameId(const Node& a, const Node& b) { return a.id == b.id; }

void Merge(std::vector<Node>& nodes, const Change& change) {
  const std::vector<Node>& told = change.service.nodes;
  std::erase_if(nodes, [&](const Node& node) {
    return std::any_of(told.begin(), told.end(), [&](const Node& t) { return SameId(node, t); });
  });
  if (change.kind == Change::Kind::kDelete) return;
  nodes.insert(nodes.end(), told.begin(), told.end());
}

}  // namespace

Endpoints::Endpoints(std::string service, std::unique_ptr<Selector> selector,
                     std::shared_ptr<Registry> registry, runtime::WorkerPool& lookups,
                     Logger& logger)
    : service_(std::move(service)),
      selector_(std::move(selector)),
      registry_(std::move(registry)),
      lookups_(lookups),
      logger_(logger) {}

Task<Status> Endpoints::Refresh(runtime::Patience patience) {
  const std::shared_ptr<Waiting> waiting = Join();
  if (!waiting) {
    co_return Fails(Error(Code::kResourceExhausted, "too many lookups are under way")
                        .set_phase(Phase::kResolve));
  }
  runtime::Signal::Awaiter awaiter(*waiting->done, patience);
  const bool in_time = co_await awaiter;
  if (in_time) co_return *waiting->outcome;
  co_return Fails(Error(Code::kDeadlineExceeded,
                        "the call's deadline passed while \"" + service_ + "\" was looked up")
                      .set_phase(Phase::kResolve));
}

// A place among those who wait; null when no lookup can be started.
std::shared_ptr<Endpoints::Waiting> Endpoints::Join() {
  EventLoop* const loop = EventLoop::Current();
  const std::lock_guard lock(mutex_);
  if (!looking_ && !Begin()) return nullptr;
  for (const auto& waiting : waiting_) {
    if (waiting->loop == loop) return waiting;
  }
  return waiting_.emplace_back(std::make_shared<Waiting>(loop, std::make_shared<runtime::Signal>(),
                                                         std::make_shared<Status>()));
}

bool Endpoints::Begin() {
  heard_.clear();
  looking_ = lookups_.Submit([self = shared_from_this()] { self->LookUp(); });
  return looking_;
}

void Endpoints::LookUp() {
  WatchOnce();
  const auto found = registry_->GetService(service_);
  if (found) Replace(*found);
  if (!found && known()) {
    // What was known stays: the nodes themselves will tell whether they live.
    logger_.Write(LogLevel::kWarn,
                  "keeping the known nodes of \"" + service_ + "\": " + found.error().ToString());
  }
  Finish(found ? Ok() : Failure(found.error()));
}

void Endpoints::Finish(const Status& outcome) {
  std::vector<std::shared_ptr<Waiting>> waiting;
  {
    const std::lock_guard lock(mutex_);
    looking_ = false;
    waiting.swap(waiting_);
  }
  for (auto& one : waiting) {
    EventLoop& loop = *one->loop;
    loop.Post([one = std::move(one), outcome] {
      *one->outcome = outcome;
      one->done->Set();
    });
  }
}

// The watch begins before the first lookup, so that nothing between the two is missed.
void Endpoints::WatchOnce() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(watched_, true)) return;
  }
  auto watch = registry_->Watch(service_, [weak = weak_from_this()](const Change& change) {
    if (const auto self = weak.lock()) self->Apply(change);
  });
  if (watch) {
    watch_ = *std::move(watch);
  } else {
    logger_.Write(LogLevel::kWarn,
                  "\"" + service_ + "\" is not watched: " + watch.error().ToString());
  }
}

void Endpoints::Replace(const std::vector<ServiceInfo>& services) {
  const std::lock_guard lock(mutex_);
  nodes_.clear();
  for (const ServiceInfo& service : services) {
    nodes_.insert(nodes_.end(), service.nodes.begin(), service.nodes.end());
  }
  // The lookup may not have seen yet what the watch has told meanwhile.
  for (const Change& change : heard_) Merge(nodes_, change);
  Publish();
}

void Endpoints::Apply(const Change& change) {
  const std::lock_guard lock(mutex_);
  Merge(nodes_, change);
  if (looking_) heard_.push_back(change);
  Publish();
}

void Endpoints::Publish() {
  std::vector<NodePtr> nodes;
  for (const Node& node : nodes_) nodes.push_back(std::make_shared<const Node>(node));
  selector_->Update(nodes);
  known_.store(!nodes_.empty(), std::memory_order_release);
}

Directory::Directory(Runtime& runtime, std::shared_ptr<Registry> registry,
                     std::function<std::unique_ptr<Selector>()> make_selector)
    : runtime_(runtime),
      registry_(std::move(registry)),
      make_selector_(std::move(make_selector)),
      lookups_(std::make_unique<runtime::WorkerPool>(kLookupThreads, kLookupQueue)) {}

Directory::~Directory() {
  lookups_.reset();
  for (const auto& [name, endpoints] : services_) endpoints->Stop();
}

std::shared_ptr<Endpoints> Directory::Find(const std::string& service) {
  const std::lock_guard lock(mutex_);
  auto& endpoints = services_[service];
  if (!endpoints) {
    endpoints = std::make_shared<Endpoints>(service, make_selector_(), registry_, *lookups_,
                                            runtime_.logger());
  }
  return endpoints;
}

}  // namespace micro::discovery
