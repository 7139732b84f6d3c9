#pragma once

#include <optional>

#include "micro/duration.h"
#include "micro/transport.h"

#include "runtime/timer.h"

namespace micro::http2 {

class Session;
enum class Role : std::uint8_t;

/// Keeps a session's time: pings a silent peer and closes when no answer comes, and has a server
/// say goodbye on connections that are old, or that no call has used for long.
///
/// Costs what hears or opens something a mere note of it: what is due is looked at when time comes.
class Pulse final : public runtime::Timer {
 public:
  Pulse(Session& session, Role role, const transport::Lifetimes& rules);

  void Start();
  void Fire() override;

  /// Something came.
  void OnHeard() { heard_ = std::chrono::steady_clock::now(); }
  /// Something of a call came: pings are welcome again.
  void OnProgress() { pings_ = 0; }
  /// A stream has opened or closed.
  void OnStream() { used_ = heard_; }
  /// A ping was sent that somebody else wants the answer to.
  void OnPing();

 private:
  void Arm(TimePoint now);
  bool Answered(TimePoint now);
  void Part(TimePoint now);
  void Ping(TimePoint now);
  TimePoint AnswerDue(TimePoint now) const;
  TimePoint PingDue(TimePoint now) const;
  TimePoint IdleDue(TimePoint now) const;

  Session& session_;
  const Role role_;
  const transport::Lifetimes rules_;
  TimePoint heard_{};
  TimePoint used_{};
  TimePoint age_due_ = TimePoint::max();
  std::optional<TimePoint> pinged_;  // and not heard anything since
  int pings_ = 0;                    // since something of a call came
};

}  // namespace micro::http2
