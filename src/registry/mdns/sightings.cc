#include "registry/mdns/sightings.h"

#include <algorithm>

#include "base/dice.h"

namespace micro::mdns {
namespace {

// When a node is asked for, in parts of its TTL, each a little later by chance (RFC 6762, 5.2).
constexpr std::array kAskAt = {0.80, 0.85, 0.90, 0.95};
constexpr double kSpread = 0.02;

Duration Part(Duration whole, double part) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * part));
}

}  // namespace

bool Sightings::TakeAnnouncement(const Sighting& sighting, TimePoint now) {
  const auto at = known_.find(sighting.instance);
  if (at != known_.end()) {
    Known& known = at->second;
    const bool same = known.gone == sighting.gone() && known.service == sighting.service;
    if (same && now - known.told < kRepetition) {
      Hear(known, sighting, now);
      return false;
    }
  }
  Put(sighting, now);
  return true;
}

bool Sightings::TakeAnswer(const Sighting& sighting, TimePoint now) {
  if (sighting.gone()) return false;
  const auto at = known_.find(sighting.instance);
  if (at != known_.end()) {
    Known& known = at->second;
    if (!known.gone && known.service == sighting.service) {
      Hear(known, sighting, now);
      return false;
    }
    if (now - known.told < kCrossing) return false;
  }
  Put(sighting, now);
  return true;
}

void Sightings::Put(const Sighting& sighting, TimePoint now) {
  if (!known_.contains(sighting.instance) && !HasRoom(now)) return;
  Known& known = known_[sighting.instance];
  known.service = sighting.service;
  known.gone = sighting.gone();
  known.told = now;
  Hear(known, sighting, now);
}

void Sightings::Hear(Known& known, const Sighting& sighting, TimePoint now) {
  known.heard = now;
  known.asked = 0;
  const Duration ttl = known.gone ? kRepetition : std::chrono::seconds(sighting.ttl);
  known.expires = now + std::min<Duration>(ttl, kLongestTtl);
  Schedule(known);
}

void Sightings::Schedule(Known& known) {
  known.ask_at = known.expires;
  if (!known.gone && known.asked < std::ssize(kAskAt)) {
    const double part =
        kAskAt.at(static_cast<std::size_t>(known.asked)) + kSpread * Dice::OfThread().Fraction();
    known.ask_at = known.heard + Part(known.expires - known.heard, part);
  }
  next_due_ = std::min(next_due_, known.ask_at);
}

Sightings::Due Sightings::TakeDue(TimePoint now,
                                  const std::function<bool(const std::string&)>& is_watched) {
  Due due;
  next_due_ = TimePoint::max();
  std::erase_if(asked_, [now](const auto& each) { return now - each.second >= kBetweenQuestions; });
  for (auto at = known_.begin(); at != known_.end();) {
    Known& known = at->second;
    if (known.ask_at <= now && IsOver(known, now, is_watched(known.service.name), due)) {
      at = known_.erase(at);
      continue;
    }
    next_due_ = std::min(next_due_, known.ask_at);
    ++at;
  }
  return due;
}

bool Sightings::IsOver(Known& known, TimePoint now, bool watched, Due& due) {
  if (known.expires <= now) {
    if (known.gone) return true;
    if (!watched || known.asked > 0) {
      due.expired.push_back(std::move(known.service));
      return true;
    }
    known.expires = now + kBetweenQuestions;
  }
  if (watched && asked_.emplace(known.service.name, now).second) {
    due.ask.insert(known.service.name);
  }
  ++known.asked;
  Schedule(known);
  return false;
}

std::vector<Record> Sightings::KnownAnswers(std::string_view service, TimePoint now,
                                            std::size_t most) const {
  std::vector<Record> records;
  const auto name = Name::FromText(std::string(service) + "." + Domain().ToText());
  if (!name) return records;
  for (const auto& [instance, known] : known_) {
    if (records.size() == most) break;
    if (known.gone || known.service.name != service) continue;
    const auto left = std::chrono::floor<std::chrono::seconds>(known.expires - now);
    if (left * 2 <= known.expires - known.heard) continue;
    records.push_back(
        {.name = *name, .ttl = static_cast<std::uint32_t>(left.count()), .data = Ptr{instance}});
  }
  return records;
}

bool Sightings::HasRoom(TimePoint now) {
  if (known_.size() < kMaxInstances) return true;
  std::erase_if(known_,
                [now](const auto& each) { return each.second.gone && each.second.expires <= now; });
  return known_.size() < kMaxInstances;
}

}  // namespace micro::mdns
