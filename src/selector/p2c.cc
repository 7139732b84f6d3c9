#include "selector/p2c.h"

namespace micro {

Result<Pick> P2cSelector::Select(const PickContext& context) {
  const auto candidates = nodes_.Get();
  const Candidate* const lighter = LighterOfTwo(*candidates, context);
  if (lighter == nullptr) return candidates->Nothing();
  return NodeTable::Take(*lighter);
}

// Both are drawn as their weights say: when they are equally busy, the first has its share.
const Candidate* LighterOfTwo(const Candidates& candidates, const PickContext& context) {
  Dice& dice = Dice::OfThread();
  Moment moment = candidates.now();
  const Candidate* const first = candidates.Draw(context, dice, moment);
  if (first == nullptr || candidates.size() == 1) return first;
  const Candidate* second = first;
  for (int draw = 0; second == first && draw < Candidates::kDraws; ++draw) {
    second = candidates.Draw(context, dice, moment);
  }
  const double first_burden = first->load->Burden(moment) / candidates.Share(*first, moment);
  const double second_burden = second->load->Burden(moment) / candidates.Share(*second, moment);
  return second_burden < first_burden ? second : first;
}

}  // namespace micro
