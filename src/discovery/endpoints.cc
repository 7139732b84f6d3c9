#include "discovery/endpoints.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/dice.h"

namespace micro::discovery {
namespace {

// Nodes that are passed on in no time worth mentioning.
constexpr std::size_t kFew = 256;

std::string Reason(const Ejections::Trouble& trouble) {
  const bool unreachable = trouble.last == Outcome::kUnreachable;
  std::string reason = unreachable                         ? "could not be reached"
                       : trouble.last == Outcome::kRefused ? "said that it cannot serve"
                                                           : "did not answer in time";
  if (trouble.rests == 0) return reason + ", " + std::to_string(trouble.failures) + " in a row";
  return trouble.rests == 1 ? reason : reason + ", rest " + std::to_string(trouble.rests);
}

double Chance() { return Dice::OfThread().Fraction(); }

bool NamesNone(const Result<std::vector<ServiceInfo>>& found) {
  if (!found) return found.error().code() == Code::kNotFound;
  return std::ranges::all_of(*found, [](const ServiceInfo& one) { return one.nodes.empty(); });
}

}  // namespace

Endpoints::Counters::Counters(Metrics& metrics)
    : lookups(metrics.GetCounter("micro_discovery_lookups_total", "Services looked up")),
      failures(metrics.GetCounter("micro_discovery_failures_total",
                                  "Lookups and watches that the registry failed")),
      updates(
          metrics.GetCounter("micro_discovery_updates_total", "Times that nodes were replaced")),
      ejections(metrics.GetCounter("micro_discovery_ejections_total",
                                   "Times that a node was given a rest for failing")) {}

Endpoints::Endpoints(std::string service, Surroundings around, runtime::WorkerPool& lookups)
    : service_(std::move(service)),
      around_(std::move(around)),
      lookups_(lookups),
      counters_(*around_.metrics),
      views_(around_.make_selector, around_.zone),
      calls_(around_.max_node_calls > 0 ? std::make_shared<NodeCalls>(around_.max_node_calls)
                                        : nullptr),
      ejections_(Chance) {}

void Endpoints::Fix(std::span<const std::string> addresses) {
  ServiceInfo service{.name = service_};
  for (const std::string& address : addresses) {
    service.nodes.push_back({.id = address, .address = address, .metadata = {}});
  }
  const std::lock_guard lock(mutex_);
  nodes_.Found({&service, 1}, Now());
  last_ =
      Fails(Error(Code::kUnavailable, "there are no other addresses").set_phase(Phase::kResolve));
  fixed_ = true;
  Publish(Now());
}

void Endpoints::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

std::shared_ptr<Selector> Endpoints::SelectorFor(const NodeFilter& filter, bool any_zone) {
  const std::lock_guard lock(mutex_);
  return views_.Get(filter, any_zone);
}

// --- lookups -------------------------------------------------------------------------------------

Task<Status> Endpoints::Refresh(runtime::Patience patience) {
  const std::shared_ptr<Waiting> waiting = Join();
  if (!waiting) {
    co_return Fails(Error(Code::kResourceExhausted, "too many lookups are under way")
                        .set_phase(Phase::kResolve));
  }
  runtime::Signal::Awaiter awaiter(*waiting->done, patience);
  const bool in_time = co_await awaiter;
  if (in_time) co_return *waiting->outcome;
  co_return Fails(Error(Code::kDeadlineExceeded,
                        "the call's deadline passed while \"" + service_ + "\" was looked up")
                      .set_phase(Phase::kResolve));
}

// A place among those who wait, or what is known already; null when no lookup can be started.
std::shared_ptr<Endpoints::Waiting> Endpoints::Join() {
  EventLoop* const loop = EventLoop::Current();
  auto mine = std::make_shared<Waiting>(loop, std::make_shared<runtime::Signal>(),
                                        std::make_shared<Status>());
  const std::lock_guard lock(mutex_);
  if (fixed_ || (!looking_ && Now() < last_until_)) {
    *mine->outcome = last_;
    mine->done->Set();
    return mine;
  }
  if (!looking_ && !Begin()) return nullptr;
  for (const auto& waiting : waiting_) {
    if (waiting->loop == loop) return waiting;
  }
  return waiting_.emplace_back(std::move(mine));
}

bool Endpoints::Begin() {
  heard_.clear();
  looking_ = !closed_ && lookups_.Submit([self = shared_from_this()] { self->LookUp(); });
  return looking_;
}

// The watch begins before the lookup, so that nothing between the two is missed.
void Endpoints::LookUp() {
  const bool watched = WatchOnce();
  const Found found = around_.registry->GetService(service_);
  counters_.lookups.Add();
  const bool failed = !found && !NamesNone(found);
  if (failed) counters_.failures.Add();
  Status outcome;
  {
    const std::lock_guard lock(mutex_);
    failed_ = watched && !failed ? 0 : failed_ + 1;
    Take(found);
    outcome = OutcomeOf(found);
  }
  Finish(outcome);
  LookAgainLater();
}

void Endpoints::Take(const Found& found) {
  const TimePoint now = Now();
  if (!NamesNone(found)) {
    if (!found) return;
    nodes_.Found(*found, now);
    // The lookup may not have seen yet what the watch has told meanwhile.
    for (const Change& change : heard_) nodes_.Changed(change, now);
  } else {
    nodes_.FoundNothing(now);
  }
  Publish(now);
}

// What was known stays: the nodes themselves will tell whether they live.
Status Endpoints::OutcomeOf(const Found& found) const {
  if (found) return Ok();
  if (!usable_) return Failure(found.error());
  around_.runtime->logger().Write(LogLevel::kWarn, "keeping the known nodes of \"" + service_ +
                                                       "\": " + found.error().ToString());
  return Ok();
}

void Endpoints::Finish(const Status& outcome) {
  std::vector<std::shared_ptr<Waiting>> waiting;
  {
    const std::lock_guard lock(mutex_);
    looking_ = false;
    looked_up_ = Now();
    last_ = outcome;
    last_until_ = Now() + (outcome ? around_.times.fresh : around_.times.nothing);
    waiting.swap(waiting_);
  }
  for (auto& one : waiting) {
    EventLoop& loop = *one->loop;
    loop.Post([one = std::move(one), outcome] {
      *one->outcome = outcome;
      one->done->Set();
    });
  }
}

// Nobody may ever ask again for a name that was found once in vain.
void Endpoints::LookAgainLater() {
  const std::lock_guard lock(mutex_);
  if (closed_ || nodes_.size() == 0 || std::exchange(looks_again_, true)) return;
  const Times& times = around_.times;
  const Duration delay =
      failed_ == 0 ? Backoff(times.refresh, times.refresh, 0, Chance())
                   : Backoff(times.first_retry, times.longest_retry, failed_ - 1, Chance());
  Later(delay, &Endpoints::LookAgain);
}

void Endpoints::LookAgain() {
  {
    const std::lock_guard lock(mutex_);
    looks_again_ = false;
    if (looking_ || Begin()) return;
  }
  LookAgainLater();
}

bool Endpoints::WatchOnce() {
  if (watched_) return true;
  auto watch = around_.registry->Watch(service_, [weak = weak_from_this()](const Change& change) {
    if (const auto self = weak.lock()) self->Apply(change);
  });
  watched_ = watch.has_value();
  if (watched_) {
    watch_ = *std::move(watch);
  } else {
    counters_.failures.Add();
    around_.runtime->logger().Write(
        LogLevel::kWarn, "\"" + service_ + "\" is not watched: " + watch.error().ToString());
  }
  return watched_;
}

void Endpoints::Apply(const Change& change) {
  const std::lock_guard lock(mutex_);
  nodes_.Changed(change, Now());
  if (looking_) heard_.push_back(change);
  last_until_ = {};
  PublishSoon();
}

// --- how calls went ------------------------------------------------------------------------------

Admission Endpoints::Admit(const Node& node, bool heed_trials) {
  using enum Admission::Answer;
  Admission admission;
  if (calls_ != nullptr) {
    auto place = calls_->Enter(node.id);
    if (!place) return {.answer = kFull};
    admission.place = *std::move(place);
  }
  if (!heed_trials || !troubled_.load(std::memory_order_relaxed)) return admission;
  const std::lock_guard lock(mutex_);
  if (!ejections_.Try(node.id, Now())) return {.answer = kOnTrial};
  return admission;
}

void Endpoints::Note(const Node& node, Outcome outcome) {
  const TimePoint now = Now();
  const std::lock_guard lock(mutex_);
  if (outcome != Outcome::kAnswered && !nodes_.Has(node.id)) return;
  const bool gone = outcome == Outcome::kUnreachable && nodes_.Unreachable(node.id);
  if (gone) ejections_.Forget(node.id);
  const bool changed = !gone && ejections_.Report(node.id, outcome, nodes_.size(), now);
  troubled_.store(!ejections_.empty(), std::memory_order_relaxed);
  if (!gone && !changed) return;
  if (changed && ejections_.Rests(node.id, now)) {
    counters_.ejections.Add();
    Later(ejections_.Until(node.id) - now, &Endpoints::PublishNow);
  }
  // Where there are many nodes, others are tried in its place for a moment.
  nodes_.size() <= kFew ? Publish(now) : PublishSoon();
}

// --- what people are shown -----------------------------------------------------------------------

ServiceReport Endpoints::Report() const {
  const TimePoint now = Now();
  const std::lock_guard lock(mutex_);
  ServiceReport report{.name = service_,
                       .source = fixed_     ? "addresses"
                                 : watched_ ? "watch"
                                            : "lookup",
                       .vouched = nodes_.vouched(),
                       .looked_up = {},
                       .trouble = {},
                       .nodes = {}};
  if (looked_up_) report.looked_up = now - *looked_up_;
  if (!fixed_ && !last_) report.trouble = last_.error().detail();
  for (const auto& [id, known] : nodes_.all()) report.nodes.push_back(ReportOn(known, now));
  return report;
}

NodeReport Endpoints::ReportOn(const NodeSet::Known& known, TimePoint now) const {
  NodeReport report{.id = known.node->id,
                    .address = known.node->address,
                    .version = known.service->version,
                    .zone = {},
                    .seen = now - known.seen,
                    .withdrawn = known.withdrawn,
                    .why = {},
                    .in_flight = {}};
  const auto zone = known.node->metadata.find("zone");
  if (zone != known.node->metadata.end()) report.zone = zone->second;
  if (nodes_.size() <= kFew) report.in_flight = views_.InFlight(report.id);
  const auto trouble = ejections_.TroubleOf(report.id);
  if (!trouble) return report;
  report.rests = std::max(trouble->until - now, Duration::zero());
  report.on_trial = trouble->rests > 0 && report.rests == Duration::zero();
  report.why = Reason(*trouble);
  return report;
}

// --- passing it on -------------------------------------------------------------------------------

void Endpoints::Later(Duration delay, void (Endpoints::*then)()) {
  around_.runtime->NextLoop().PostAfter(delay, [weak = weak_from_this(), then] {
    if (const auto self = weak.lock()) ((*self).*then)();
  });
}

// The first change at once, those that follow it closely together.
void Endpoints::PublishSoon() {
  const TimePoint now = Now();
  const Duration wait = published_at_ + around_.times.settle - now;
  if (wait <= Duration::zero()) return Publish(now);
  if (!std::exchange(publishes_, true)) Later(wait, &Endpoints::PublishNow);
}

void Endpoints::PublishNow() {
  const std::lock_guard lock(mutex_);
  publishes_ = false;
  Publish(Now());
}

void Endpoints::Publish(TimePoint now) {
  published_at_ = now;
  ejections_.Keep([this](const std::string& id) { return nodes_.Has(id); });
  troubled_.store(!ejections_.empty(), std::memory_order_relaxed);
  const auto usable = nodes_.Usable(now);
  views_.Update(usable, ejections_, now);
  usable_ = !usable.empty();
  known_.store(usable_ && nodes_.vouched(), std::memory_order_release);
  counters_.updates.Add();
  if (count_ == nullptr && usable_ && !fixed_) {
    count_ = &around_.metrics->GetGauge(
        "micro_discovery_nodes", "Nodes that are known of a service", {{"service", service_}});
  }
  if (count_ != nullptr) count_->Set(static_cast<double>(usable.size()));
}

}  // namespace micro::discovery
