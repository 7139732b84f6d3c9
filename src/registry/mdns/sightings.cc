#include "registry/mdns/sightings.h"

namespace micro::mdns {

bool SightingFilter::IsNews(const Sighting& sighting, TimePoint now) {
  const auto known = told_.find(sighting.instance);
  if (known != told_.end()) {
    const Told& told = known->second;
    const bool same = told.gone == sighting.gone && told.service == sighting.service;
    if (same && now - told.at < kRepetition) return false;
  } else if (told_.size() >= kMaxInstances) {
    MakeRoom(now);
  }
  told_[sighting.instance] = {.service = sighting.service, .gone = sighting.gone, .at = now};
  return true;
}

void SightingFilter::MakeRoom(TimePoint now) {
  std::erase_if(told_, [now](const auto& each) { return now - each.second.at >= kRepetition; });
  if (told_.size() >= kMaxInstances) told_.clear();
}

}  // namespace micro::mdns
