#include "registry/etcd/watch.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "registry/etcd/keys.h"

namespace micro::etcd {
namespace {

using std::chrono::steady_clock;

// A stream this long without a word asks for one: pings go on as long as it gets an answer.
constexpr Duration kQuiet = std::chrono::seconds(12);
constexpr Duration kMostAway = std::chrono::seconds(2);
// Those who listen could not take a change: until they are told again.
constexpr Duration kBusy = std::chrono::milliseconds(500);

}  // namespace

Watch::Watch(std::string service, std::shared_ptr<Client> client, std::shared_ptr<Records> records,
             std::shared_ptr<Logger> logger, Tell tell)
    : service_(std::move(service)),
      prefix_(PrefixOf(service_)),
      client_(std::move(client)),
      records_(std::move(records)),
      logger_(std::move(logger)),
      tell_(std::move(tell)) {}

Task<void> Watch::Begun() {
  runtime::Signal::Awaiter awaiter(begun_, runtime::Patience{});
  co_await awaiter;
}

internal::Detached Watch::Run(std::shared_ptr<Watch> self) {
  while (!self->interrupter_.pulled()) {
    const Status outcome = co_await self->Round();
    self->begun_.Set();
    if (!outcome) self->Report(outcome);
    if (outcome || self->interrupter_.pulled()) continue;
    runtime::Delay pause(self->Now().Within(self->backoff_.Next(kMostAway)));
    co_await pause;
  }
  self->begun_.Set();
}

// Until the stream ends: with success where the next one may begin at once.
Task<Status> Watch::Round() {
  if (line_ != client_->line()) ReadAgainAt(TimePoint::min());
  if (read_due_ <= steady_clock::now()) {
    if (Status read = co_await Read(); !read) co_return read;
  }
  begun_.Set();
  co_return co_await Follow();
}

// A quorum's answer: a server that lags behind would tell of what is long gone.
Task<Status> Watch::Read() {
  wire::RangeRequest request;
  request.set_key(prefix_);
  request.set_range_end(EndOf(prefix_));
  wire::RangeResponse response;
  Status read = co_await client_->Call("KV/Range", request, response, Now());
  if (!read) co_return read;
  if (std::exchange(line_, client_->line()) != client_->line() && begun_.set()) {
    grace_over_ = steady_clock::now() + kGrace;
  }
  Compare(response);
  co_return Ok();
}

void Watch::Compare(const wire::RangeResponse& now) {
  read_due_ = TimePoint::max();
  revision_ = now.header().revision();
  std::set<std::string_view> there;
  for (const wire::KeyValue& kv : now.kvs()) {
    there.insert(kv.key());
    OnThere(kv);
  }
  const bool lenient = steady_clock::now() < grace_over_;
  for (auto next = told_.begin(); next != told_.end();) {
    const auto told = next++;
    if (there.contains(told->first)) continue;
    lenient ? ReadAgainAt(grace_over_) : OnGone(told);
  }
}

Task<Status> Watch::Follow() {
  auto opened = co_await client_->Open("Watch/Watch", Now());
  if (!opened) co_return Failure(opened.error());
  if (opened->line != line_) co_return Ok();  // what was read may not hold here
  wire::WatchRequest request;
  request.mutable_create_request()->set_key(prefix_);
  request.mutable_create_request()->set_range_end(EndOf(prefix_));
  request.mutable_create_request()->set_start_revision(revision_ + 1);
  std::string message = Encode(request);
  opened->stream->Write(message);
  quiet_since_ = steady_clock::now();
  while (true) {
    const transport::Read read = opened->stream->TryRead(message);
    Status step = Ok();
    if (read == transport::Read::kMessage) step = Take(message);
    if (read == transport::Read::kPending) step = co_await Wait(*opened->stream);
    if (!step || interrupter_.pulled() || read_due_ == TimePoint::min()) co_return step;
    if (read == transport::Read::kEnd) break;
  }
  Status ended = opened->stream->status();
  if (!ended && ended.error().code() == Code::kUnauthenticated) client_->ForgetToken();
  co_return ended ? Status(Unavailable("etcd ended the watch")) : ended;
}

// Until there may be something to read; meanwhile does what is due.
Task<Status> Watch::Wait(transport::ClientStream& stream) {
  stream.WaitReadable(nudge_);
  Nudge::Awaiter awaiter(nudge_, {.deadline = std::min(read_due_, quiet_since_ + kQuiet),
                                  .interrupter = &interrupter_});
  co_await awaiter;
  if (interrupter_.pulled()) co_return Ok();
  const TimePoint now = steady_clock::now();
  if (now >= quiet_since_ + kQuiet) {
    wire::WatchRequest request;
    request.mutable_progress_request();
    std::string message = Encode(request);
    stream.Write(message);
    quiet_since_ = now;
  }
  if (now >= read_due_) co_return co_await Read();
  co_return Ok();
}

Status Watch::Take(const std::string& message) {
  wire::WatchResponse response;
  if (!response.ParseFromString(message)) return Internal("etcd's answer cannot be read");
  quiet_since_ = steady_clock::now();
  if (response.canceled()) return OnCancelled(response);
  Report(Ok());
  for (const wire::Event& event : response.events()) Apply(event);
  if (response.events_size() > 0) {
    revision_ = std::max(revision_, response.events().rbegin()->kv().mod_revision());
  }
  return Ok();
}

Status Watch::OnCancelled(const wire::WatchResponse& response) {
  if (response.compact_revision() > 0) {
    ReadAgainAt(TimePoint::min());
    return Ok();
  }
  client_->ForgetToken();  // it may be that, for all etcd says
  return Unavailable("etcd ended the watch: " + response.cancel_reason());
}

// What was read since the stream began may be ahead of it.
void Watch::Apply(const wire::Event& event) {
  if (event.kv().mod_revision() <= revision_) return;
  if (event.type() == wire::Event::PUT) return OnThere(event.kv());
  OnGone(told_.find(event.kv().key()));
}

std::optional<ServiceInfo> Watch::Record(const wire::KeyValue& kv) {
  auto service = records_->Read(kv);
  // "a/b" and "a-b" share their keys.
  if (service && !service_.empty() && service->name != service_) return std::nullopt;
  return service;
}

void Watch::OnThere(const wire::KeyValue& kv) {
  auto service = Record(kv);
  if (!service) return;
  const auto told = told_.find(kv.key());
  if (told != told_.end() && told->second == *service) return;
  const auto kind = told == told_.end() ? Change::Kind::kCreate : Change::Kind::kUpdate;
  if (begun_.set() && !Told(kind, *service)) return;
  told_[kv.key()] = *std::move(service);
}

void Watch::OnGone(std::map<std::string, ServiceInfo>::iterator told) {
  if (told == told_.end() || !Told(Change::Kind::kDelete, told->second)) return;
  told_.erase(told);
}

// Those who cannot listen now are told the difference later.
bool Watch::Told(Change::Kind kind, const ServiceInfo& service) {
  if (tell_({kind, service})) return true;
  ReadAgainAt(steady_clock::now() + kBusy);
  return false;
}

void Watch::Report(const Status& outcome) {
  if (outcome) backoff_.Reset();
  if (interrupter_.pulled() || !logger_) return;
  const std::string what = service_.empty() ? "all services" : "\"" + service_ + "\"";
  if (!outcome && !std::exchange(failed_, true)) {
    logger_->Write(LogLevel::kWarn, "registry etcd does not tell of changes to " + what +
                                        ", and is tried again: " + outcome.error().ToString());
  }
  if (outcome && std::exchange(failed_, false)) {
    logger_->Write(LogLevel::kInfo, "registry etcd tells of changes to " + what + " again");
  }
}

}  // namespace micro::etcd
