#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "micro/duration.h"
#include "micro/metrics.h"
#include "micro/registry.h"

namespace micro {

/// What a registry heard from strangers and could not use: each is counted in
/// `micro_registry_bad_records_total`, and the log gets a line of the first, and then of one in a
/// while, lest whoever sends nonsense fills the disk.
///
/// Thread-safe.
class BadRecords final {
 public:
  /// Between two lines.
  static constexpr std::chrono::seconds kPause{60};

  /// `registry` is its name. Both others may be null; `metrics` must outlive this.
  BadRecords(std::string_view registry, std::shared_ptr<Logger> logger, Metrics* metrics);

  /// `what` says which record and why, and need be no plain text.
  void Note(std::string_view what) { NoteAt(what, std::chrono::steady_clock::now()); }
  void NoteAt(std::string_view what, TimePoint now);

 private:
  const std::string registry_;
  const std::shared_ptr<Logger> logger_;
  Counter* count_ = nullptr;
  std::mutex mutex_;
  TimePoint quiet_until_{};
  std::uint64_t unsaid_ = 0;
};

}  // namespace micro
