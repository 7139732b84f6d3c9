#include "registry/mdns/announcer.h"

namespace micro::mdns {
namespace {

using namespace std::chrono_literals;

// When go-micro announces a node: at once, and again to those who missed it.
constexpr std::array<std::chrono::seconds, 3> kAnnouncements = {0s, 1s, 3s};

TimePoint Now() { return std::chrono::steady_clock::now(); }

}  // namespace

void Announcer::Put(Instance instance, Duration ttl) {
  const auto [at, added] = locals_.try_emplace(instance.instance);
  std::shared_ptr<Local>& local = at->second;
  if (added) {
    local = std::make_shared<Local>(loop_);
    const auto left = left_.extract(instance.instance);
    if (left) local->not_before = left.mapped();
  }
  Renew(local, ttl);
  if (local->instance == instance) return;
  local->instance = std::move(instance);
  Announce(local);
}

void Announcer::Remove(const Name& instance) {
  std::erase_if(left_, [now = Now()](const auto& each) { return each.second <= now; });
  const auto gone = locals_.extract(instance);
  if (!gone) return;
  const Local& local = *gone.mapped();
  send_(local.told ? *local.told : local.instance, 0);
  left_[instance] = local.not_before;
}

void Announcer::AnnounceAll() {
  for (const auto& [name, local] : locals_) Announce(local);
}

std::vector<const Instance*> Announcer::instances() const {
  std::vector<const Instance*> all;
  for (const auto& [name, local] : locals_) all.push_back(&local->instance);
  return all;
}

// A wait that ended just before the renewal must not end the node: the time it is due decides.
void Announcer::Renew(const std::shared_ptr<Local>& local, Duration ttl) {
  if (ttl <= Duration::zero()) {
    local->expiry.expires_at(TimePoint::max());
    return;
  }
  local->expiry.expires_after(ttl);
  local->expiry.async_wait(
      [this, weak = std::weak_ptr(local)](const boost::system::error_code& error) {
        const auto due = weak.lock();
        if (error || !due || due->expiry.expiry() > Now()) return;
        if (logger_ && logger_->Enabled(LogLevel::kWarn)) {
          logger_->Write(LogLevel::kWarn,
                         "mdns: " + due->instance.instance.ToText() + " was not renewed in time");
        }
        Remove(due->instance.instance);
      });
}

void Announcer::Announce(const std::shared_ptr<Local>& local) {
  local->announced = 0;
  if (local->not_before > Now()) return AnnounceAt(local, local->not_before);
  local->next.cancel();
  Tell(local);
}

void Announcer::AnnounceAt(const std::shared_ptr<Local>& local, TimePoint at) {
  local->next.expires_at(at);
  local->next.async_wait(
      [this, weak = std::weak_ptr(local)](const boost::system::error_code& error) {
        const auto due = weak.lock();
        if (error || !due || due->next.expiry() > Now()) return;
        Tell(due);
      });
}

void Announcer::Tell(const std::shared_ptr<Local>& local) {
  const TimePoint now = Now();
  if (local->told && *local->told != local->instance) send_(*local->told, 0);
  send_(local->instance, kTtl);
  local->told = local->instance;
  local->not_before = now + kPause;
  if (++local->announced >= kAnnouncements.size()) return;
  AnnounceAt(local,
             now + (kAnnouncements.at(local->announced) - kAnnouncements.at(local->announced - 1)));
}

}  // namespace micro::mdns
