#pragma once

#include <map>

#include "micro/duration.h"
#include "micro/registry.h"

#include "registry/mdns/records.h"

namespace micro::mdns {

/// Tells what is news from what is said again: an announcement comes three times, and each time
/// once per interface and address family.
class SightingFilter {
 public:
  /// How long a repetition is no news. Longer than an announcement's three messages take, and short
  /// enough for a node that crashed and came back as it was to be told again.
  static constexpr std::chrono::seconds kRepetition{4};
  /// Instances remembered; a network that has more is told repetitions.
  static constexpr std::size_t kMaxInstances = 4096;

  bool IsNews(const Sighting& sighting, TimePoint now);

 private:
  struct Told {
    ServiceInfo service;
    bool gone = false;
    TimePoint at;
  };

  void MakeRoom(TimePoint now);

  std::map<Name, Told> told_;
};

}  // namespace micro::mdns
