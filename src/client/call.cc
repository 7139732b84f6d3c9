#include "client/call.h"

#include <array>
#include <utility>

#include "micro/stream.h"

#include "base/backoff.h"
#include "base/dice.h"
#include "base/overload.h"
#include "client/readable.h"
#include "observe/trace.h"
#include "runtime/timer.h"

namespace micro::client {
namespace {

constexpr std::string_view kProto = "application/grpc+proto";

// Before a call is sent again.
constexpr std::chrono::milliseconds kFirstPause{5};
constexpr std::chrono::milliseconds kLongestPause{250};

// Lists of addresses that a loop keeps, and words on attempts that an error carries.
constexpr std::size_t kMostLists = 16;
constexpr std::size_t kMostWords = 4096;

std::string Describe(const Node& node) {
  return node.id == node.address ? node.address : node.id + " at " + node.address;
}

// How a call went, as far as the node is concerned.
Outcome OutcomeOf(const Error& error) {
  const bool remote = error.phase() == Phase::kRemote;
  switch (error.code()) {
    case Code::kDeadlineExceeded:
      return Outcome::kTimedOut;
    case Code::kCancelled:
      return remote ? Outcome::kAnswered : Outcome::kAbandoned;
    case Code::kUnavailable:
      return remote ? Outcome::kRefused : Outcome::kUnreachable;
    case Code::kResourceExhausted:
      return error.retry_after() ? Outcome::kRefused : Outcome::kAnswered;
    default:
      return Outcome::kAnswered;
  }
}

Failure TooMany() {
  return Fails(Error(Code::kInternal, "more than one response came to a unary call")
                   .set_phase(Phase::kRemote));
}

}  // namespace

void PerLoop::Close() {
  while (!calls.empty()) {
    Call& call = calls.front();
    calls.pop_front();
    call.interrupter().Pull();
  }
  probes->Close();
  pool->Close();
}

observe::CalledMethod& PerLoop::Called(observe::Observer& observer, const std::string& service,
                                       std::string_view path) {
  const auto found = called_.find({service, path});
  if (found != called_.end()) return *found->second;
  observe::CalledMethod& called = observer.Called(service, path);
  called_.emplace(std::pair(std::string_view(called.service), std::string_view(called.path)),
                  &called);
  return called;
}

std::shared_ptr<Target> PerLoop::Make(std::shared_ptr<discovery::Endpoints> endpoints) const {
  const RetryBudget budget(std::chrono::steady_clock::now(), retries_per_second_);
  return std::make_shared<Target>(Target{.endpoints = std::move(endpoints), .budget = budget});
}

std::shared_ptr<Target> PerLoop::Find(discovery::Directory& directory, const std::string& service) {
  const auto found = services_.find(service);
  if (found != services_.end()) return found->second;
  auto target = Make(directory.Find(service));
  if (target->endpoints->known()) services_.emplace(service, target);
  return target;
}

std::shared_ptr<Target> PerLoop::At(discovery::Directory& directory,
                                    std::span<const std::string> addresses) {
  for (const auto& [listed, target] : lists_) {
    if (std::ranges::equal(listed, addresses)) return target;
  }
  if (lists_.size() >= kMostLists) lists_.erase(lists_.begin());
  const std::vector<std::string> listed(addresses.begin(), addresses.end());
  return lists_.emplace_back(listed, Make(directory.At(addresses))).second;
}

Call::Call(const ClientParts& parts, PerLoop& loop, const std::string& service,
           const MethodInfo& method, const CallOptions& options)
    : parts_(parts),
      method_(method),
      options_(options),
      called_(loop.Called(*parts.observer, service, method.path)),
      loop_(loop),
      retries_(options.retries.value_or(parts.retries)),
      once_(retries_ == 0) {
  loop.calls.push_back(*this);
  context_.service_ = service;
  context_.path_ = method.path;
  if (options.metadata != nullptr) context_.metadata_ = *options.metadata;
  FillDeadline();
  FillTrace();
}

const NodePtr& Call::nobody() {
  static const NodePtr node = std::make_shared<const Node>();
  return node;
}

Call::~Call() { End(Code::kInternal); }

// Ids that no other call has are dear to send: a trace that begins here goes on only where somebody
// will see its beginning.
void Call::FillTrace() {
  const Context* const parent = options_.parent;
  context_.trace_ = parent != nullptr ? observe::ChildOf(parent->trace()) : observe::NewTrace();
  if (parent == nullptr && !parts_.observer->exports()) return;
  observe::Inject(context_.trace_, parent != nullptr ? &parent->metadata() : nullptr,
                  parts_.trace_headers, context_.metadata_);
}

void Call::Begin() {
  under_way_ = true;
  called_.stats.Started();
}

void Call::End(Code code) {
  if (!std::exchange(under_way_, false)) return;
  const Duration took = std::chrono::steady_clock::now() - began_;
  if (attempts_ > 1 && parts_.observer->exports()) {
    context_.attributes_.Set("rpc.attempts", std::to_string(attempts_));
  }
  called_.stats.Ended(code, took);
  parts_.observer->Add({.record = {.trace = context_.trace_,
                                   .name = &called_.span_name,
                                   .start = began_,
                                   .duration = took,
                                   .code = code,
                                   .kind = SpanKind::kClient},
                        .service = context_.service_,
                        .path = context_.path_,
                        .peer = context_.peer_,
                        .attributes = &context_.attributes_});
}

// A call that streams may last: only what it was given itself, or inherited, ends it.
void Call::FillDeadline() {
  const TimePoint now = std::chrono::steady_clock::now();
  began_ = now;
  Duration timeout = options_.timeout;
  if (timeout <= Duration::zero() && unary()) timeout = parts_.request_timeout;
  if (timeout > Duration::zero()) {
    context_.deadline_ = runtime::Later(now, timeout);
  }
  if (options_.parent != nullptr && options_.parent->deadline()) {
    context_.deadline_ =
        std::min(context_.deadline_.value_or(TimePoint::max()), *options_.parent->deadline());
  }
  if (context_.deadline_) time_given_ = *context_.deadline_ - now;
  patience_ = {.deadline = context_.deadline_.value_or(TimePoint::max()),
               .interrupter = &interrupter_};
}

std::string_view Call::content_type() const {
  return options_.content_type.empty() ? kProto : options_.content_type;
}

UnaryCall::UnaryCall(const ClientParts& parts, PerLoop& loop, const std::string& service,
                     const MethodInfo& method, const google::protobuf::Message& request,
                     google::protobuf::Message& response, const CallOptions& options)
    : Call(parts, loop, service, method, options), request_(request), response_(response) {}

// What go-micro v2.2 clients send; `timeout` is in nanoseconds, and ends streams in old servers.
Status Call::FillHead() {
  codec_ = FindCodec();
  if (codec_ == nullptr) {
    return InvalidArgument("Unsupported Content-Type: " + std::string(content_type()) +
                           "; known: " + parts_.codecs.Known());
  }
  head_.path = context_.path_;
  head_.content_type = "application/grpc+" + std::string(codec_->name());
  head_.deadline = context_.deadline_;
  head_.compression = options_.compression;
  head_.metadata = context_.metadata_;
  if (unary()) head_.metadata.Set("timeout", std::to_string(time_given_.count()));
  head_.metadata.Set("x-content-type", content_type());
  if (!parts_.name.empty() && !head_.metadata.Has("micro-from-service")) {
    head_.metadata.Add("micro-from-service", parts_.name);
  }
  return Ok();
}

Status Call::FillHedge() {
  const bool repeatable = unary() && (method_.idempotent || options_.idempotent);
  if (options_.hedge_after > Duration::zero() && !repeatable) {
    return InvalidArgument(
        context_.path_ + " cannot be hedged: " +
        (unary() ? "repeating it may do harm (CallOptions::idempotent)" : "it streams"));
  }
  if (!repeatable || once_ || options_.hedge_after < Duration::zero()) return Ok();
  hedge_after_ =
      options_.hedge_after > Duration::zero() ? options_.hedge_after : parts_.hedge_after;
  return Ok();
}

Task<Status> Call::Run(Context& /*context*/) {
  if (Status ready = FillHead(); !ready) co_return ready;
  if (Status ready = FillHedge(); !ready) co_return ready;
  if (Status ready = co_await Prepare(); !ready) co_return ready;
  co_return co_await Attempts();
}

// Finds out who serves.
Task<Status> Call::Prepare() {
  const bool listed = !options_.addresses.empty();
  target_ = listed ? loop_.At(*parts_.directory, options_.addresses)
                   : loop_.Find(*parts_.directory, context_.service_);
  target_->budget.Add();
  ChooseSelector();
  if (target_->endpoints->known()) co_return Ok();
  looked_again_ = true;
  Status found = co_await target_->endpoints->Refresh(patience_);
  co_return patience_.over() ? Cancelled() : std::move(found);
}

void Call::ChooseSelector() {
  selector_ = &target_->endpoints->selector();
  if (options_.filter == nullptr) return;
  view_ = target_->endpoints->SelectorFor(*options_.filter, false);
  selector_ = view_.get();
}

Task<Status> Call::Attempts() {
  Status last = Ok();
  while (true) {
    if (patience_.over() || context_.remaining() == Duration::zero()) {
      co_return last ? OutOfTime() : Last(std::move(last));
    }
    auto pick = PickNode(place_);
    if (!pick) {
      if (Widen()) continue;
      const bool full = pick.error().code() == Code::kResourceExhausted;
      const bool more = full ? false : co_await FindMore();
      if (more) continue;
      co_return last ? NoNode(std::move(pick.error())) : Last(std::move(last));
    }
    if (!last) Remember(last.error());
    node_ = pick->shared_node();
    ++attempts_;
    if (auto* const reason = std::exchange(retrying_, nullptr)) reason->Add();
    Task<Attempt> trying = hedged() ? Hedge(&*pick) : TryOn();
    Attempt attempt = co_await trying;
    if (!hedged()) Tell(*pick, attempt);
    place_ = {};
    second_place_ = {};
    if (attempt.status) co_return Ok();
    attempt.status.error().set_node(Describe(*node_)).set_attempts(attempts_);
    tried_.push_back(node_->id);
    last = std::move(attempt.status);
    TraceAttempt(last.error());
    if (!MayRetry(attempt.verdict, last.error())) co_return Last(std::move(last));
    const bool in_time = co_await Pause(attempt.verdict);
    if (!in_time) co_return Last(std::move(last));
  }
}

Result<Pick> Call::Select(std::span<const std::string> passed) const {
  return selector_->Select({.tried = passed, .path = context_.path_, .key = options_.key});
}

// A node that takes the call now, and the call's place there.
Result<Pick> Call::PickNode(discovery::NodeCalls::Place& place) const {
  return target_->endpoints->guarded() ? PickGuarded(place) : Select(tried_);
}

// Passes over nodes that are full, and over those on trial unless there are no others.
Result<Pick> Call::PickGuarded(discovery::NodeCalls::Place& place) const {
  using enum discovery::Admission::Answer;
  discovery::Endpoints& endpoints = *target_->endpoints;
  std::vector<std::string> passed = tried_;
  bool any_full = false;
  bool any_on_trial = false;
  for (const bool heed_trials : {true, false}) {
    if (!heed_trials && !std::exchange(any_on_trial, false)) break;
    if (!heed_trials) passed = tried_;
    while (true) {
      auto pick = Select(passed);
      if (!pick && !any_full && !any_on_trial) return pick;
      if (!pick) break;
      discovery::Admission admission = endpoints.Admit(pick->node(), heed_trials);
      if (admission.answer == kYes) {
        place = std::move(admission.place);
        return pick;
      }
      passed.push_back(pick->node().id);
      (admission.answer == kFull ? any_full : any_on_trial) = true;
      (admission.answer == kFull ? parts_.counters->full : parts_.counters->on_trial).Add();
    }
  }
  return Failure(Overloaded("every node of \"" + context_.service_ + "\" has " +
                            std::to_string(endpoints.max_node_calls()) +
                            " calls of this client under way (--client_max_node_calls)")
                     .set_phase(Phase::kConnect));
}

std::optional<Pick> Call::PickSecond() {
  tried_.push_back(node_->id);
  auto pick = PickNode(second_place_);
  if (!pick) return std::nullopt;
  if (!target_->budget.Take(std::chrono::steady_clock::now())) {
    parts_.counters->denied.Add();
    second_place_ = {};
    return std::nullopt;
  }
  ++attempts_;
  parts_.counters->hedges.Add();
  return *std::move(pick);
}

// Every node of the own zone was tried in vain.
bool Call::Widen() {
  if (!target_->endpoints->zoned() || std::exchange(widened_, true)) return false;
  const NodeFilter all;
  view_ =
      target_->endpoints->SelectorFor(options_.filter != nullptr ? *options_.filter : all, true);
  selector_ = view_.get();
  return true;
}

// Every known node was tried in vain: perhaps there are others by now.
Task<bool> Call::FindMore() {
  if (std::exchange(looked_again_, true)) co_return false;
  const Status found = co_await target_->endpoints->Refresh(patience_);
  co_return found.has_value();
}

Failure Call::NoNode(Error why) const {
  if (why.code() == Code::kResourceExhausted) return Failure(std::move(why));
  const std::string of = "no node of \"" + context_.service_ + "\"";
  if (options_.filter != nullptr) why = Error(Code::kUnavailable, of + " passes the call's filter");
  return Failure(why.set_phase(Phase::kResolve));
}

// An attempt that was not the last.
void Call::Remember(const Error& error) {
  if (earlier_.size() > kMostWords) return;
  earlier_ += (earlier_.empty() ? "" : "; ") + error.node() + ": " + error.detail();
}

void Call::Fail(const Node& failed, Error error) {
  error.set_node(Describe(failed));
  tried_.push_back(failed.id);
  TraceAttempt(error);
  Remember(error);
}

void Call::TraceAttempt(const Error& error) {
  if (!parts_.observer->exports()) return;
  context_.attributes_.Add(
      "rpc.attempt",
      error.node() + ": " + std::string(ToString(error.code())) + ": " + error.detail());
}

Status Call::Last(Status last) const {
  if (!earlier_.empty()) last.error().set_earlier(earlier_);
  return last;
}

bool Call::MayRetry(Verdict verdict, const Error& error) {
  if (once_ || verdict == Verdict::kDone) return false;
  if (verdict != Verdict::kNotSent) {
    if (retries_ == 0 || !IsSafe(verdict, error)) return false;
    --retries_;
  }
  if (!target_->budget.Take(std::chrono::steady_clock::now())) {
    parts_.counters->denied.Add();
    return false;
  }
  retrying_ = &ReasonFor(verdict);
  return true;
}

Counter& Call::ReasonFor(Verdict verdict) const {
  if (verdict == Verdict::kNotSent) return parts_.counters->not_sent;
  if (verdict == Verdict::kRefused) return parts_.counters->refused;
  return options_.retry_if != nullptr ? parts_.counters->asked_for : parts_.counters->repeatable;
}

bool Call::IsSafe(Verdict verdict, const Error& error) const {
  if (verdict == Verdict::kRefused) return true;
  if (options_.retry_if != nullptr) return options_.retry_if(error, attempts_);
  return verdict == Verdict::kUnknown && (method_.idempotent || options_.idempotent);
}

// Waits before the next attempt; false when there is no time for that. What could not be sent to
// one node goes to the next at once.
Task<bool> Call::Pause(Verdict verdict) {
  const int paused = attempts_ - (verdict == Verdict::kNotSent ? 2 : 1);
  if (paused < 0) co_return true;
  const Duration delay = Backoff(kFirstPause, kLongestPause, paused, Dice::OfThread().Fraction());
  if (delay >= context_.remaining()) co_return false;
  runtime::Delay wait(patience_.Within(delay));
  co_await wait;
  co_return true;
}

Task<Call::Attempt> Call::TryOn() {
  std::shared_ptr<transport::Connection> connection = loop_.pool->Ready(node_->address);
  if (!connection) {
    auto dialled = co_await loop_.pool->Get(node_->address, patience_);
    if (!dialled) {
      if (patience_.over()) co_return Attempt{Cancelled()};
      co_return Unconnected(dialled.error());
    }
    connection = *std::move(dialled);
  }
  co_return co_await Exchange(*connection);
}

Call::Attempt Call::Unconnected(const Error& error) {
  const bool late = error.code() == Code::kDeadlineExceeded;
  return {Failure(error), late ? Verdict::kDone : Verdict::kNotSent};
}

void Call::Tell(Pick& pick, const Attempt& attempt) {
  Outcome outcome = Outcome::kAnswered;
  if (attempt.verdict == Verdict::kNotSent) {
    outcome = Outcome::kUnreachable;
  } else if (!attempt.status) {
    outcome = client::OutcomeOf(attempt.status.error());
  }
  pick.Report(outcome);
  target_->endpoints->Report(pick.node(), outcome);
}

Task<Call::Attempt> UnaryCall::Exchange(transport::Connection& connection) {
  message_.assign(transport::kHeadroom, '\0');
  if (Status encoded = codec_->Encode(request_, message_); !encoded) co_return Attempt{encoded};
  head_.authority = node_->address;
  context_.peer_ = node_->address;
  const transport::ClientStreamPtr stream = connection.Open(head_);
  called_.stats.Sent();
  stream->Write(message_);
  stream->CloseSend();
  bool answered = false;
  while (true) {
    Readable readable(*stream, message_, patience_);
    const transport::Read read = co_await readable;
    if (read == transport::Read::kPending) co_return Attempt{OutOfTime()};
    if (read == transport::Read::kEnd) break;
    if (std::exchange(answered, true)) {
      co_return Attempt{TooMany()};
    }
    if (Status decoded = Decode(message_); !decoded) co_return Attempt{std::move(decoded)};
  }
  co_return Settle(*stream, answered);
}

Status UnaryCall::Decode(const std::string& message) {
  called_.stats.Received();
  const Status decoded = codec_->Decode(message, response_);
  if (decoded) return Ok();
  return Fails(Error(Code::kInternal, "the response cannot be read: " + decoded.error().detail())
                   .set_phase(Phase::kRemote));
}

// The first to answer wins, be it with an error of its own; one that fails leaves it to the other.
Task<Call::Attempt> UnaryCall::Hedge(Pick* first) {
  message_.assign(transport::kHeadroom, '\0');
  if (Status encoded = codec_->Encode(request_, message_); !encoded) co_return Attempt{encoded};
  const auto race = std::make_shared<Race>(loop().pool, head_, message_, patience_.deadline);
  std::optional<Pick> second;
  Race::Runner* over = co_await FirstOver(race.get(), &second);
  std::array<Pick*, 2> untold = {first, second ? &*second : nullptr};
  Attempt attempt = over != nullptr ? ResultOf(*over) : Attempt{OutOfTime()};
  while (over != nullptr && attempt.verdict != Verdict::kDone &&
         attempt.verdict != Verdict::kAnswered && race->running()) {
    Pick*& pick = untold.at(over->node == first->shared_node() ? 0 : 1);
    Tell(*std::exchange(pick, nullptr), attempt);
    Fail(*over->node, std::move(attempt.status.error()));
    over = co_await race->Next(patience_);
    attempt = over != nullptr ? ResultOf(*over) : Attempt{OutOfTime()};
  }
  race->Stop();
  if (over != nullptr) Take(*over, attempt);
  if (second && over != nullptr && over->node == second->shared_node() && attempt.status) {
    parts_.counters->hedges_won.Add();
  }
  const Attempt cancelled{Cancelled()};
  for (Pick* const pick : untold) {
    if (pick == nullptr) continue;
    const bool won = over == nullptr || pick->shared_node() == over->node;
    Tell(*pick, won ? attempt : cancelled);
  }
  co_return attempt;
}

// Sends the request to the node that was picked, and to a second one when that takes its time.
Task<Race::Runner*> UnaryCall::FirstOver(Race* race, std::optional<Pick>* second) {
  called_.stats.Sent();
  race->Start(node_);
  Race::Runner* const over = co_await race->Next(patience_.Within(hedge_after()));
  const bool in_time = !patience_.over() && context_.remaining() > Duration::zero();
  if (over != nullptr || !in_time) co_return over;
  if (auto picked = PickSecond()) {
    second->emplace(*std::move(picked));
    called_.stats.Sent();
    race->Start((*second)->shared_node());
  }
  Race::Runner* const next = co_await race->Next(patience_);
  co_return next;
}

Call::Attempt UnaryCall::ResultOf(const Race::Runner& runner) const {
  if (!runner.connected) return Unconnected(runner.connected.error());
  if (!runner.ended) return {OutOfTime()};
  if (runner.answers > 1) return {TooMany()};
  if (!runner.stream->status()) return Judge(*runner.stream);
  return {Ok()};
}

// What the node whose answer counts has said becomes that of the call.
void UnaryCall::Take(Race::Runner& runner, Attempt& attempt) {
  node_ = runner.node;
  context_.peer_ = node_->address;
  if (!runner.stream || runner.answers > 1) return;
  const Attempt settled = Settle(*runner.stream, runner.answers > 0);
  if (!attempt.status) return;
  attempt.status = settled.status;
  if (runner.answers > 0) attempt.status = Decode(runner.answer);
}

Call::Attempt UnaryCall::Settle(transport::ClientStream& stream, bool answered) {
  std::swap(context_.response_metadata_, stream.metadata());
  std::swap(context_.trailers_, stream.trailers());
  context_.received_compression_ = stream.compression();
  if (!stream.status()) return Judge(stream);
  return {answered ? Ok() : internal::NoResponse()};
}

Call::Attempt Call::Judge(const transport::ClientStream& stream) {
  const Status& status = stream.status();
  if (stream.unprocessed()) return {status, Verdict::kNotSent};
  if (status.error().retry_after()) return {status, Verdict::kRefused};
  const bool unavailable = status.error().code() == Code::kUnavailable;
  return {status, unavailable ? Verdict::kUnknown : Verdict::kAnswered};
}

Status Call::Cancelled() const {
  return Fails(Error(Code::kCancelled, "the call was cancelled by its caller")
                   .set_phase(attempts_ > 0 ? Phase::kSend : Phase::kResolve));
}

Status Call::OutOfTime() const {
  if (patience_.over()) return Cancelled();
  const bool parents = options_.parent != nullptr && options_.parent->deadline() &&
                       options_.parent->deadline() == context_.deadline_;
  return Fails(Error(Code::kDeadlineExceeded,
                     parents ? "the deadline inherited from the calling request passed"
                             : "the call's own deadline passed")
                   .set_phase(attempts_ > 0 ? Phase::kSend : Phase::kResolve));
}

void Call::Report(CallInfo& info) const {
  info.node = *node_;
  info.attempts = attempts_;
  info.response_metadata = context_.response_metadata();
  info.trailers = context_.trailers();
}

}  // namespace micro::client
