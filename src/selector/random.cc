#include "selector/random.h"

namespace micro {

Result<Pick> RandomSelector::Select(const PickContext& context) {
  const auto candidates = nodes_.Get();
  Moment moment = candidates->now();
  const Candidate* const drawn = candidates->Draw(context, Dice::OfThread(), moment);
  if (drawn == nullptr) return candidates->Nothing();
  return Pick(drawn->member->node);
}

}  // namespace micro
