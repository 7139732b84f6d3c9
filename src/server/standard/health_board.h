#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "micro/health.h"

#include "runtime/bell.h"

namespace micro::server {

/// What a server says of its services' health, and who wants to hear of every change. Thread-safe.
class HealthBoard final : public Health {
 public:
  // Health
  void Set(std::string_view service, bool serving) override;
  std::optional<bool> Get(std::string_view service) const override;

  /// Everything that is known, by name.
  std::map<std::string, bool> All() const;

  /// From now on what is set counts: the server runs.
  void Open();
  /// From now on nothing serves, whatever is set.
  void Leave();
  /// Whether it serves as far as the server goes, whatever was set.
  bool open() const;
  /// The same, and watches end.
  void Close();
  bool closed() const;

  /// `bell` is rung at every change, until it is removed.
  void Add(const std::shared_ptr<runtime::Bell>& bell);
  void Remove(const std::shared_ptr<runtime::Bell>& bell);

 private:
  void Ring() const;

  mutable std::mutex mutex_;
  std::map<std::string, bool, std::less<>> services_;
  std::set<std::shared_ptr<runtime::Bell>> bells_;
  bool open_ = false;
  bool closed_ = false;
};

}  // namespace micro::server
