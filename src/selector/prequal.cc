#include "selector/prequal.h"

#include "selector/least_loaded.h"

namespace micro {

void PrequalSelector::Update(std::span<const NodePtr> nodes) {
  const std::lock_guard updating(updating_);
  pool_->Update(*nodes_.Update(nodes));
}

Result<Pick> PrequalSelector::Select(const PickContext& context) {
  const auto candidates = nodes_.Get();
  Moment moment = candidates->now();
  const auto chosen = pool_->Choose(*candidates, context, moment);
  const Candidate* const picked = chosen ? &*chosen : LeastLoaded(*candidates, context);
  if (picked == nullptr) return candidates->Nothing();
  Pick pick = NodeTable::Take(*picked);
  Ask(*candidates, moment());
  return pick;
}

void PrequalSelector::Ask(const Candidates& candidates, TimePoint now) {
  if (prober_ == nullptr || candidates.size() < 2) return;
  for (int i = 0; i < kProbes; ++i) {
    const Candidate& one = candidates[Dice::OfThread().Below(candidates.size())];
    if (!pool_->Begin(one, now)) continue;
    prober_->Ask(*one.member->node, [pool = pool_, member = one.member,
                                     clock = clock_](const Result<std::uint32_t>& told) {
      pool->End(member->load.get(), told, clock());
    });
  }
}

}  // namespace micro
