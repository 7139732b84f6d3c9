#include "registry/etcd/registrations.h"

#include <algorithm>
#include <utility>

#include "registry/etcd/wire.pb.h"

namespace micro::etcd {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// Of a lease that no record needs: it tells when etcd has lost everything.
constexpr seconds kCanaryTtl{60};
// A fleet's etcd that is back is found within this; one that answers, but refuses, is left in peace
// for longer.
constexpr Duration kMostAway = seconds(2);
constexpr Duration kMostRefused = seconds(15);
// How long leaving may take, for those left behind see the lease run out anyway.
constexpr Duration kFarewell = seconds(1);

bool Refused(const Status& status) {
  return status.error().phase() == Phase::kRemote && status.error().code() != Code::kUnavailable;
}

}  // namespace

Registrations::Registrations(std::shared_ptr<Client> client, std::shared_ptr<Logger> logger)
    : client_(std::move(client)), logger_(std::move(logger)) {}

Task<Status> Registrations::Put(std::vector<Record> records, Duration ttl) {
  const TimePoint expiry =
      ttl > Duration::zero() ? runtime::Later(steady_clock::now(), ttl) : TimePoint::max();
  std::vector<std::string> keys;
  for (Record& record : records) {
    Entry& entry = entries_[record.key];
    const bool same = entry.wanted && entry.settled && entry.value == record.value &&
                      (entry.ttl > Duration::zero()) == (ttl > Duration::zero());
    if (!same) Wish(record.key, true);
    entry.doubted = same;
    entry.value = std::move(record.value);
    entry.ttl = ttl;
    entry.expiry = expiry;
    keys.push_back(std::move(record.key));
  }
  co_return co_await Outcome(std::move(keys));
}

Task<Status> Registrations::Delete(std::vector<std::string> keys) {
  for (const std::string& key : keys) Wish(key, false);
  co_return co_await Outcome(std::move(keys));
}

void Registrations::Wish(const std::string& key, bool wanted) {
  Entry& entry = entries_[key];
  entry.wanted = wanted;
  entry.settled = false;
  entry.doubted = false;
  ++entry.version;
}

// Waits for a whole round that begins from now on.
Task<Status> Registrations::Outcome(std::vector<std::string> keys) {
  const std::shared_ptr<runtime::Signal> round = next_;
  nudge_.Wake();
  const runtime::Patience patience = runtime::Patience{}.Within(client_->options().timeout);
  runtime::Signal::Awaiter awaiter(*round, patience);
  const bool in_time = co_await awaiter;
  for (const std::string& key : keys) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.settled) continue;
    if (!found->second.trouble) co_return found->second.trouble;
    if (!trouble_) co_return trouble_;
    if (!in_time) co_return client_->NoAnswer(client_->where());
  }
  co_return Ok();
}

Task<void> Registrations::Stop() {
  interrupter_.Pull();
  runtime::Signal::Awaiter awaiter(ended_, runtime::Patience{});
  co_await awaiter;
}

internal::Detached Registrations::Run(std::shared_ptr<Registrations> self) {
  while (!self->interrupter_.pulled()) {
    const auto round = std::exchange(self->next_, std::make_shared<runtime::Signal>());
    const Status outcome = co_await self->Round();
    self->Report(outcome);
    round->Set();
    if (self->entries_.empty()) co_await self->Revoke(self->Now());
    Nudge::Awaiter awaiter(self->nudge_,
                           {.deadline = self->Due(outcome), .interrupter = &self->interrupter_});
    co_await awaiter;
  }
  if (self->client_->ready()) {
    co_await self->Revoke(runtime::Patience{}.Within(kFarewell));
  }
  self->stream_.reset();
  self->next_->Set();
  self->ended_.Set();
}

Task<Status> Registrations::Round() {
  constexpr int kMostTries = 3;
  Expire();
  Status worked = Ok();
  for (int tries = 0; tries < kMostTries && !entries_.empty(); ++tries) {
    worked = co_await Work();
    const bool lease_lost = !worked && worked.error().code() == Code::kNotFound;
    if (!lease_lost || interrupter_.pulled()) break;
  }
  co_return worked;
}

Task<Status> Registrations::Work() {
  if (Status heard = Listen(); !heard) co_return heard;
  if (Status held = co_await HoldLease(); !held) co_return held;
  Status settled = co_await Settle();
  if (lease_.id == 0 || interrupter_.pulled()) co_return settled;
  Status kept = co_await KeepAlive();
  co_return settled ? kept : settled;
}

// What was not asked for again within its TTL has to go, as if nobody were there to keep it.
void Registrations::Expire() {
  const TimePoint now = steady_clock::now();
  for (auto& [key, entry] : entries_) {
    if (!entry.wanted || now < entry.expiry) continue;
    entry.expiry = TimePoint::max();
    Wish(key, false);
  }
}

// Zero: no lease is needed.
seconds Registrations::WantedTtl() const {
  bool wanted = false;
  std::optional<Duration> least;
  for (const auto& [key, entry] : entries_) {
    if (!entry.wanted) continue;
    wanted = true;
    if (entry.ttl > Duration::zero()) least = std::min(least.value_or(entry.ttl), entry.ttl);
  }
  return wanted ? std::chrono::ceil<seconds>(least.value_or(kCanaryTtl)) : seconds(0);
}

Task<Status> Registrations::HoldLease() {
  const seconds wanted = WantedTtl();
  if (wanted == seconds(0) || (lease_.id != 0 && wanted >= lease_.asked)) co_return Ok();
  wire::LeaseGrantRequest request;
  request.set_ttl(wanted.count());
  wire::LeaseGrantResponse response;
  Status granted = co_await client_->Call("Lease/LeaseGrant", request, response, Now());
  if (!granted) co_return granted;
  lease_ = {.id = response.id(), .asked = wanted, .granted = seconds(response.ttl())};
  beat_due_ = steady_clock::now() + lease_.granted / 3;
  unanswered_.reset();
  for (auto& [key, entry] : entries_) entry.settled = entry.settled && !entry.wanted;
  co_return Ok();
}

Task<Status> Registrations::Settle() {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_) {
    if (!entry.settled || entry.doubted) keys.push_back(key);
  }
  Status all = Ok();
  for (const std::string& key : keys) {
    Status one = co_await SettleOne(key);
    if (interrupter_.pulled() || lease_.id == 0) co_return one;
    const bool refused = !one && Refused(one);
    entries_[key].trouble = refused ? one : Ok();
    if (!one) all = std::move(one);
    if (!all && !refused) co_return all;  // the others would fare no better
    if (entries_[key].settled && !entries_[key].wanted) entries_.erase(key);
  }
  co_return all;
}

// The wish may change while etcd works on it: then it is not settled.
Task<Status> Registrations::SettleOne(std::string key) {
  Entry& entry = entries_[key];
  const int version = entry.version;
  Status done = Ok();
  if (std::exchange(entry.doubted, false) && entry.settled) {
    done = co_await Doubt(key, entry);
    if (!done || entry.settled) co_return done;
  }
  if (entry.wanted) {
    wire::PutRequest request;
    request.set_key(key);
    request.set_value(entry.value);
    request.set_lease(entry.ttl > Duration::zero() ? lease_.id : 0);
    wire::PutResponse response;
    done = co_await client_->Call("KV/Put", request, response, Now());
    if (!done && done.error().code() == Code::kNotFound) LoseLease("it had run out");
  } else {
    wire::DeleteRangeRequest request;
    request.set_key(key);
    wire::DeleteRangeResponse response;
    done = co_await client_->Call("KV/DeleteRange", request, response, Now());
  }
  entry.settled = done && entry.version == version;
  co_return done;
}

// Sees whether a record still is as it was put.
Task<Status> Registrations::Doubt(const std::string& key, Entry& entry) {
  wire::RangeRequest request;
  request.set_key(key);
  wire::RangeResponse response;
  const int version = entry.version;
  Status read = co_await client_->Call("KV/Range", request, response, Now());
  if (!read) {
    entry.doubted = true;
    co_return read;
  }
  const std::int64_t lease = entry.ttl > Duration::zero() ? lease_.id : 0;
  const bool there = response.kvs_size() == 1 && response.kvs(0).value() == entry.value &&
                     response.kvs(0).lease() == lease;
  entry.settled = there && entry.version == version;
  co_return Ok();
}

// Takes what etcd has to say about the lease.
Status Registrations::Listen() {
  if (!stream_) return Ok();
  std::string message;
  transport::Read read{};
  while ((read = stream_->TryRead(message)) == transport::Read::kMessage) {
    unanswered_.reset();
    wire::LeaseKeepAliveResponse response;
    if (!response.ParseFromString(message) || response.id() != lease_.id) continue;
    if (response.ttl() <= 0) LoseLease("etcd does not know it any more");
  }
  if (read == transport::Read::kPending) {
    stream_->WaitReadable(nudge_);
    return Ok();
  }
  Status ended = stream_->status();
  stream_.reset();
  if (ended) return Unavailable("etcd ended the stream that keeps the lease");
  if (ended.error().code() == Code::kUnauthenticated) client_->ForgetToken();
  return ended;
}

Task<Status> Registrations::KeepAlive() {
  if (!stream_) {
    auto opened = co_await client_->Open("Lease/LeaseKeepAlive", Now());
    if (!opened) co_return Failure(opened.error());
    stream_ = std::move(opened->stream);
    line_ = opened->line;
    stream_->WaitReadable(nudge_);
    unanswered_.reset();
    beat_due_ = steady_clock::now();
  }
  const TimePoint now = steady_clock::now();
  if (unanswered_ && now >= *unanswered_ + client_->options().timeout) {
    stream_.reset();
    client_->Abandon(line_);
    co_return Unavailable("etcd does not answer for the lease within " +
                          FormatDuration(client_->options().timeout));
  }
  if (now >= beat_due_) Beat(now);
  co_return Ok();
}

void Registrations::Beat(TimePoint now) {
  wire::LeaseKeepAliveRequest request;
  request.set_id(lease_.id);
  std::string message = Encode(request);
  stream_->Write(message);
  if (!unanswered_) unanswered_ = now;
  beat_due_ = now + lease_.granted / 3;
}

void Registrations::LoseLease(const std::string& why) {
  if (logger_ && stood_) {
    logger_->Write(LogLevel::kWarn,
                   "registry etcd: the lease is lost, as " + why + "; registering anew");
  }
  lease_ = {};
}

Task<void> Registrations::Revoke(runtime::Patience patience) {
  if (lease_.id == 0) co_return;
  wire::LeaseRevokeRequest request;
  request.set_id(lease_.id);
  wire::LeaseRevokeResponse response;
  lease_ = {};
  stream_.reset();
  (void)co_await client_->Call("Lease/LeaseRevoke", request, response, patience);
}

// An outage at the start is told by those who wait for their registration.
void Registrations::Report(const Status& outcome) {
  trouble_ = outcome;
  if (outcome) backoff_.Reset();
  const bool failed = !outcome && stood_ && !interrupter_.pulled();
  if (failed && !std::exchange(failed_, true) && logger_) {
    logger_->Write(LogLevel::kWarn,
                   "registry etcd does not keep what is registered, and is tried again: " +
                       outcome.error().ToString());
  }
  if (!outcome) return;
  stood_ = true;
  if (std::exchange(failed_, false) && logger_) {
    logger_->Write(LogLevel::kInfo, "registry etcd is back, and what is registered stands there");
  }
}

TimePoint Registrations::Due(const Status& outcome) {
  const TimePoint now = steady_clock::now();
  if (!outcome) return now + backoff_.Next(Refused(outcome) ? kMostRefused : kMostAway);
  TimePoint due = stream_ ? beat_due_ : TimePoint::max();
  if (unanswered_) due = std::min(due, *unanswered_ + client_->options().timeout);
  for (const auto& [key, entry] : entries_) due = std::min(due, entry.expiry);
  return due;
}

}  // namespace micro::etcd
