#include "selector/probe_pool.h"

#include <algorithm>

namespace micro {

void ProbePool::Update(const Candidates& candidates) {
  std::unordered_map<const Load*, Node> nodes;
  nodes.reserve(candidates.size());
  const std::lock_guard lock(mutex_);
  for (const Candidate& one : candidates) {
    const auto known = nodes_.find(one.load);
    Node node = known != nodes_.end() ? std::move(known->second) : Node();
    node.candidate = one;
    nodes.emplace(one.load, std::move(node));
  }
  nodes_ = std::move(nodes);
  std::erase_if(probes_,
                [this](const Probe& probe) { return !nodes_.contains(probe.candidate.load); });
  for (Probe& probe : probes_) probe.candidate = nodes_.at(probe.candidate.load).candidate;
}

std::optional<Candidate> ProbePool::Choose(const Candidates& candidates, const PickContext& context,
                                           Moment& moment) {
  Dice& dice = Dice::OfThread();
  const std::lock_guard lock(mutex_);
  std::erase_if(probes_, [now = moment()](const Probe& probe) { return now - probe.at > kAge; });
  std::size_t untried = 0;
  auto best = probes_.end();
  double least = std::numeric_limits<double>::infinity();
  double shares = 0;
  for (auto probe = probes_.begin(); probe != probes_.end(); ++probe) {
    if (Candidates::WasTried(probe->candidate, context)) continue;
    ++untried;
    const double share = candidates.Share(probe->candidate, moment);
    const double busy = (probe->others + probe->candidate.load->Burden(moment)) / share;
    if (busy > least) continue;
    shares = busy < least ? share : shares + share;
    if (busy < least || dice.Fraction() * shares < share) best = probe;
    least = busy;
  }
  if (untried < kLeast) return std::nullopt;
  Candidate chosen = best->candidate;
  if (++best->uses >= kMostUses && nodes_.size() > kMost) probes_.erase(best);
  return chosen;
}

bool ProbePool::Begin(const Candidate& candidate, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(candidate.load);
  if (found == nodes_.end()) return false;
  Node& node = found->second;
  if (now < node.quiet_until) {
    if (node.mute) Keep(node.candidate, MeanOthers(), now);
    return false;
  }
  if (!MayAsk(now)) return false;
  node.quiet_until = now + kAge;  // an answer that is later than that is of no use
  return true;
}

void ProbePool::End(const Load* load, const Result<std::uint32_t>& told, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(load);
  if (found == nodes_.end()) return;
  Node& node = found->second;
  node.mute = !told;
  node.quiet_until = now;
  if (told) {
    const double all = *told;
    return Keep(node.candidate, std::max(all - load->in_flight(), 0.0), now);
  }
  node.quiet_until += told.error().code() == Code::kUnimplemented ? kMute : kFailed;
}

bool ProbePool::MayAsk(TimePoint now) {
  if (allowed_at_ != TimePoint::min()) {
    const std::chrono::duration<double> passed = std::max(now - allowed_at_, Duration::zero());
    allowed_ = std::min(allowed_ + passed.count() * kMostProbesPerSecond, double{kMost});
  }
  allowed_at_ = now;
  if (allowed_ < 1) return false;
  allowed_ -= 1;
  return true;
}

// The latest answer of a node counts; the oldest of all makes room.
void ProbePool::Keep(const Candidate& candidate, double others, TimePoint now) {
  auto place = std::ranges::find(probes_, candidate.load,
                                 [](const Probe& probe) { return probe.candidate.load; });
  if (place == probes_.end()) {
    place = probes_.size() < kMost ? probes_.emplace(place)
                                   : std::ranges::min_element(probes_, {}, &Probe::at);
  }
  *place = {.candidate = candidate, .others = others, .at = now};
}

// What a node that does not tell is taken to have beside this client's calls.
double ProbePool::MeanOthers() const {
  double sum = 0;
  for (const Probe& probe : probes_) sum += probe.others;
  return probes_.empty() ? 0 : sum / static_cast<double>(probes_.size());
}

}  // namespace micro
