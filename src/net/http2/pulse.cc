#include "net/http2/pulse.h"

#include <algorithm>

#include "base/dice.h"
#include "net/http2/session.h"

namespace micro::http2 {
namespace {

// gRPC servers of others close a connection after three pings less than five minutes apart, unless
// they have sent something of a call in between (grpc-go's keepalive.EnforcementPolicy).
constexpr int kMostPings = 2;
constexpr std::chrono::seconds kModestly{310};
// A loop this late has been held up itself: the answer may lie there, unread.
constexpr std::chrono::milliseconds kLate{500};

// Up to a tenth more or less, so that connections made together do not end together.
Duration Jittered(Duration age) {
  const double factor = 0.9 + 0.2 * Dice::OfThread().Fraction();
  const double jittered = static_cast<double>(age.count()) * factor;
  if (jittered >= static_cast<double>(Duration::max().count())) return age;
  return Duration(static_cast<Duration::rep>(jittered));
}

}  // namespace

Pulse::Pulse(Session& session, Role role, const transport::Lifetimes& rules)
    : session_(session), role_(role), rules_(rules) {}

void Pulse::Start() {
  const TimePoint now = std::chrono::steady_clock::now();
  heard_ = used_ = now;
  if (role_ == Role::kServer && rules_.max_age > Duration::zero()) {
    age_due_ = runtime::Later(now, Jittered(rules_.max_age));
  }
  Arm(now);
}

void Pulse::Fire() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (!Answered(now)) {
    return session_.Close("no answer to a ping within " + FormatDuration(rules_.keepalive_timeout));
  }
  Part(now);
  Ping(now);
  Arm(now);
}

void Pulse::OnPing() {
  if (rules_.keepalive_timeout == Duration::zero() || pinged_) return;
  const TimePoint now = std::chrono::steady_clock::now();
  pinged_ = now;
  Arm(now);
}

// False when the time for an answer is over.
bool Pulse::Answered(TimePoint now) {
  if (!pinged_) return true;
  if (heard_ > *pinged_) {
    pinged_.reset();
    return true;
  }
  const TimePoint due = runtime::Later(*pinged_, rules_.keepalive_timeout);
  if (now < due) return true;
  if (now - due < kLate) return false;
  pinged_ = now;
  return true;
}

void Pulse::Part(TimePoint now) {
  if (now < std::min(age_due_, IdleDue(now))) return;
  session_.Shutdown();
}

void Pulse::Ping(TimePoint now) {
  if (pinged_ || session_.open() == 0 || now < PingDue(now)) return;
  ++pings_;
  pinged_ = now;
  session_.Ping();
}

TimePoint Pulse::PingDue(TimePoint now) const {
  if (rules_.keepalive_time == Duration::zero()) return TimePoint::max();
  if (session_.open() == 0) return runtime::Later(now, rules_.keepalive_time);
  const bool modest = role_ == Role::kClient && pings_ >= kMostPings;
  const Duration silence =
      modest ? std::max<Duration>(rules_.keepalive_time, kModestly) : rules_.keepalive_time;
  return runtime::Later(heard_, silence);
}

TimePoint Pulse::IdleDue(TimePoint now) const {
  if (role_ == Role::kClient || rules_.max_idle == Duration::zero()) return TimePoint::max();
  return runtime::Later(session_.open() > 0 ? now : used_, rules_.max_idle);
}

// When to see whether a ping was answered: when the next one would be due, and at the last.
TimePoint Pulse::AnswerDue(TimePoint now) const {
  const TimePoint next = runtime::Later(*pinged_, rules_.keepalive_time);
  const TimePoint last = runtime::Later(*pinged_, rules_.keepalive_timeout);
  return next > now ? std::min(next, last) : last;
}

void Pulse::Arm(TimePoint now) {
  TimePoint due = pinged_ ? AnswerDue(now) : PingDue(now);
  if (session_.alive()) due = std::min({due, age_due_, IdleDue(now)});
  if (due != TimePoint::max()) session_.loop().Add(*this, due);
}

}  // namespace micro::http2
