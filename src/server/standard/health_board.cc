#include "server/standard/health_board.h"

namespace micro::server {

void HealthBoard::Set(std::string_view service, bool serving) {
  const std::lock_guard lock(mutex_);
  services_.insert_or_assign(std::string(service), serving);
  Ring();
}

std::optional<bool> HealthBoard::Get(std::string_view service) const {
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(service);
  if (found == services_.end()) return std::nullopt;
  return open_ && found->second;
}

std::map<std::string, bool> HealthBoard::All() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, bool> all;
  for (const auto& [service, serving] : services_) all.emplace(service, open_ && serving);
  return all;
}

void HealthBoard::Open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  closed_ = false;
  Ring();
}

void HealthBoard::Leave() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  Ring();
}

bool HealthBoard::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

void HealthBoard::Close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  closed_ = true;
  Ring();
}

bool HealthBoard::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void HealthBoard::Add(const std::shared_ptr<runtime::Bell>& bell) {
  const std::lock_guard lock(mutex_);
  bells_.insert(bell);
}

void HealthBoard::Remove(const std::shared_ptr<runtime::Bell>& bell) {
  const std::lock_guard lock(mutex_);
  bells_.erase(bell);
}

void HealthBoard::Ring() const {
  for (const auto& bell : bells_) bell->Ring();
}

}  // namespace micro::server
