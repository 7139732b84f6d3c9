#include "natsd/plan.h"

#include <utility>

#include "base/dice.h"
#include "natsd/plan_maker.h"

namespace micro::natsd {

std::size_t Plan::bytes() const {
  std::size_t bytes = sizeof(Plan) + subject.capacity() + rendered.capacity();
  bytes += targets.capacity() * sizeof(Target) + routes.capacity() * sizeof(RouteTarget);
  for (const Group& group : groups) {
    bytes += sizeof(Group) + group.members.capacity() * sizeof(Target);
    bytes += group.shares.capacity() * sizeof(Share);
  }
  return bytes;
}

void Plan::Clear() {
  rendered.clear();
  targets.clear();
  groups.clear();
  routes.clear();
}

Plans::Plans(std::string account, Sublist& sublist)
    : account_(std::move(account)),
      sublist_(sublist),
      slots_(sets_ * kWays),
      seen_(sets_ * kWays) {}

Plan& Plans::For(std::string_view subject) {
  ++lookups_;
  const std::uint64_t hash = HashOf(subject);
  Slot* set = SetOf(hash);
  for (std::size_t i = 0; i < kWays; ++i) {
    Plan* plan = set[i].get();
    if (plan == nullptr || plan->hash != hash || plan->subject != subject) continue;
    if (plan->mark.fresh()) {
      ++hits_;
    } else {
      bytes_ -= plan->bytes();
      Make(*plan, subject, hash);
      bytes_ += plan->bytes();
    }
    return *plan;
  }
  if (SeenBefore(hash)) return Keep(set, subject, hash);
  Make(scratch_, subject, hash);
  return scratch_;
}

bool Plans::SeenBefore(std::uint64_t hash) {
  std::uint32_t& seen = seen_[hash % seen_.size()];
  const auto mark = static_cast<std::uint32_t>(hash >> 32U) | 1U;
  return std::exchange(seen, mark) == mark;
}

Plan& Plans::Keep(Slot* set, std::string_view subject, std::uint64_t hash) {
  if (bytes_ > kMostBytes) DropAll();
  if (pushed_out_ > slots_.size() / 4 && sets_ < kMostSets) {
    Grow();
    set = SetOf(hash);
  }
  Slot& place = PlaceIn(set);
  place = std::make_unique<Plan>();
  ++size_;
  Make(*place, subject, hash);
  bytes_ += place->bytes();
  return *place;
}

// A free place, or one of those that have one, whichever the dice say.
Plans::Slot& Plans::PlaceIn(Slot* set) {
  for (std::size_t i = 0; i < kWays; ++i) {
    if (set[i] == nullptr) return set[i];
  }
  Slot& place = set[Dice::OfThread().Below(kWays)];
  bytes_ -= place->bytes();
  --size_;
  ++evictions_;
  ++pushed_out_;
  return place;
}

void Plans::Grow() {
  std::vector<Slot> old = std::exchange(slots_, {});
  sets_ *= 4;
  slots_.resize(sets_ * kWays);
  seen_.assign(slots_.size(), 0);
  pushed_out_ = 0;
  ++evictions_;
  for (Slot& plan : old) {
    if (plan == nullptr) continue;
    --size_;
    bytes_ -= plan->bytes();
    Slot& place = PlaceIn(SetOf(plan->hash));
    bytes_ += plan->bytes();
    ++size_;
    place = std::move(plan);
  }
}

void Plans::DropAll() {
  for (Slot& slot : slots_) slot.reset();
  bytes_ = 0;
  size_ = 0;
  ++evictions_;
}

void Plans::Make(Plan& plan, std::string_view subject, std::uint64_t hash) {
  thread_local std::vector<Subscription*> found;
  found.clear();
  sublist_.Match(subject, found);
  plan.Clear();
  plan.subject = subject;
  plan.hash = hash;
  plan.mark = sublist_.MarkOf(subject, hash);
  MakePlan(plan, account_, found);
}

}  // namespace micro::natsd
