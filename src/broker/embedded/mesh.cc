#include "broker/embedded/mesh.h"

#include <algorithm>
#include <set>
#include <utility>

namespace micro::embedded {
namespace {

// As go-micro has it, a registration lives for a minute; ours is renewed twice in it.
constexpr std::chrono::seconds kTtl{60};
constexpr std::chrono::seconds kRenew{30};
// Between two looks at the registry, beside those that a change asks for.
constexpr std::chrono::seconds kLook{10};
constexpr std::chrono::seconds kLookAgain{1};  // while it cannot be asked
// For the routes to those that were there first, and for what they say of their subscriptions.
constexpr std::chrono::milliseconds kMeet{1'000};
constexpr std::chrono::milliseconds kListen{30};
constexpr std::chrono::milliseconds kGlance{5};

}  // namespace

Mesh::Mesh(Parts parts) : parts_(std::move(parts)), peers_(parts_.server->id(), parts_.secret) {
  thread_ = std::thread([this] { Run(); });
}

Mesh::~Mesh() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
  watch_.Stop();
  if (!registered_) return;
  if (Status gone = parts_.registry->Deregister(Record()); !gone) {
    parts_.logger->Write(LogLevel::kWarn,
                         "cannot deregister the broker: " + gone.error().ToString());
  }
}

ServiceInfo Mesh::Record() const {
  Node node{.id = parts_.server->id(), .address = parts_.address};
  parts_.secret.Prove(node);
  return {.name = std::string(kService), .version = "v2", .nodes = {std::move(node)}};
}

// Where routes of two programs that start at once cross, the servers keep one of them.
void Mesh::Run() {
  auto watch = parts_.registry->Watch(kService, [this](const Change& change) { OnChange(change); });
  if (watch) watch_ = *std::move(watch);
  Look();
  WaitForRoutes();
  parts_.joined();
  TimePoint renewed{};
  do {
    const TimePoint now = std::chrono::steady_clock::now();
    if (!registered_ || now - renewed >= kRenew) {
      Register();
      renewed = now;
    }
    Look();
  } while (Wait(complained_ ? kLookAgain : kLook));
}

void Mesh::Register() {
  const Status registered = parts_.registry->Register(Record(), {.ttl = kTtl});
  registered_ = registered_ || registered.has_value();
  if (registered || std::exchange(complained_, true)) return;
  parts_.logger->Write(LogLevel::kWarn, "cannot register the broker, trying again: " +
                                            registered.error().ToString());
}

void Mesh::Look() {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    gone.swap(gone_);
    look_ = false;
  }
  const TimePoint now = std::chrono::steady_clock::now();
  peers_.Gone(gone, now);
  const auto found = parts_.registry->GetService(kService);
  const bool nobody = !found && found.error().code() == Code::kNotFound;
  if (!found && !nobody) {
    if (!std::exchange(complained_, true)) {
      parts_.logger->Write(LogLevel::kWarn, "cannot look for other brokers, trying again: " +
                                                found.error().ToString());
    }
    return;
  }
  complained_ = false;
  Apply(peers_.Seen(found.value_or(std::vector<ServiceInfo>()), Connected(), now));
}

void Mesh::Apply(const Peers::Steps& steps) {
  for (const auto& url : steps.drop) parts_.server->RemoveRoute(url);
  for (const auto& url : steps.dial) parts_.server->AddRoute(url);
  for (const std::string& address : steps.bad) {
    parts_.counts->malformed.Add();
    parts_.logger->Write(LogLevel::kDebug, "no broker of ours is at " + address);
  }
}

// On a thread of the registry's.
void Mesh::OnChange(const Change& change) {
  const std::lock_guard lock(mutex_);
  for (const Node& node : change.service.nodes) {
    std::erase(gone_, node.id);
    if (change.kind == Change::Kind::kDelete) gone_.push_back(node.id);
  }
  look_ = true;
  changed_.notify_all();
}

std::set<std::string> Mesh::Connected() const {
  std::set<std::string> connected;
  for (const auto& route : parts_.server->Routes()) connected.insert(route.remote_id);
  parts_.counts->connected.Set(static_cast<double>(connected.size()));
  return connected;
}

std::size_t Mesh::Heard() const {
  std::size_t heard = 0;
  for (const auto& route : parts_.server->Routes()) heard += route.subscriptions;
  return heard;
}

// What is published next is to reach those that have subscribed elsewhere by now. A server says
// what it wants as soon as the route is there.
void Mesh::WaitForRoutes() {
  if (peers_.size() == 0) return;
  const TimePoint until = std::chrono::steady_clock::now() + kMeet;
  const auto met = [this] {
    const auto connected = Connected();
    return static_cast<std::size_t>(std::ranges::count_if(
               connected, [this](const auto& id) { return peers_.Has(id); })) == peers_.size();
  };
  while (!met() && std::chrono::steady_clock::now() < until) {
    if (!Wait(kGlance)) return;
  }
  std::size_t before = 0;
  do {
    before = Heard();
    if (!Wait(kListen)) return;
  } while (Heard() != before && std::chrono::steady_clock::now() < until);
}

// False when it is time to end.
bool Mesh::Wait(Duration time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stop_ || look_; });
  return !stop_;
}

}  // namespace micro::embedded
