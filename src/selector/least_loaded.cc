#include "selector/least_loaded.h"

#include <limits>

#include "selector/p2c.h"

namespace micro {
namespace {

// Of those that are equally busy, each as likely as its share: a new one takes the place of those
// before it with the chance that it has among them.
const Candidate* LeastBusy(const Candidates& candidates, const PickContext& context) {
  Dice& dice = Dice::OfThread();
  Moment moment = candidates.now();
  const Candidate* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  double shares = 0;
  for (const Candidate& one : candidates) {
    const double share = candidates.Share(one, moment);
    const double busy = one.load->Burden(moment) / share;
    if (busy > least || Candidates::WasTried(one, context)) continue;
    shares = busy < least ? share : shares + share;
    if (busy < least || dice.Fraction() * shares < share) best = &one;
    least = busy;
  }
  return best;
}

}  // namespace

const Candidate* LeastLoaded(const Candidates& candidates, const PickContext& context) {
  return candidates.size() <= LeastLoadedSelector::kMostScanned ? LeastBusy(candidates, context)
                                                                : LighterOfTwo(candidates, context);
}

Result<Pick> LeastLoadedSelector::Select(const PickContext& context) {
  const auto candidates = nodes_.Get();
  const Candidate* const best = LeastLoaded(*candidates, context);
  if (best == nullptr) return candidates->Nothing();
  return NodeTable::Take(*best);
}

}  // namespace micro
