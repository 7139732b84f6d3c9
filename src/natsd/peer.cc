#include "natsd/peer.h"

#include <algorithm>
#include <utility>

#include "natsd/engine.h"

namespace micro::natsd {
namespace {

// So much is written without waiting for the end of the turn: the other side reads meanwhile, and
// memory stays warm.
constexpr std::size_t kFlush = std::size_t{128} << 10U;

// Beyond this those who publish to it wait a little (nats-server 2.11 does so from 3/4 on).
std::size_t CrowdedMark(const Options& options) { return options.max_pending / 4 * 3; }

}  // namespace

Peer::Peer(Engine& engine, Kind kind)
    : out_(engine.slabs()),
      engine_(engine),
      kind_(kind),
      flush_mark_(std::min(kFlush, CrowdedMark(engine.options()))),
      id_(engine.NextId()) {}

void Peer::MarkDirty() {
  dirty_ = true;
  engine_.MarkDirty(*this);
}

void Peer::SendError(std::string_view text) { Send("-ERR '", text, "'\r\n"); }

void Peer::EndTurn() {
  dirty_ = false;
  if (!closing_ && !blocked()) Flush();
  Weigh();
}

void Peer::OnMuch() {
  if (closing_) return;
  if (!blocked()) Flush();
  Weigh();
}

// Compares what is pending with the limits, and says when to do so again.
void Peer::Weigh() {
  const std::size_t pending = out_.pending();
  const Options& options = engine_.options();
  const std::size_t mark = CrowdedMark(options);
  if (pending > options.max_pending && !closing_) TooMuch();
  crowded_ = pending > mark;
  flush_mark_ = std::min(kFlush, mark);
  if (blocked()) flush_mark_ = std::max(flush_mark_, pending + kFlush);
  if (!crowded_) flush_mark_ = std::min(flush_mark_, mark);
  if (!crowded_ && !waiting_.empty()) WakeWaiting();
}

// Not at once: something may be on its way to this one.
void Peer::WakeWaiting() {
  for (const std::uint64_t id : std::exchange(waiting_, {})) engine_.EndStallSoon(id);
}

void Peer::OnRoom() {
  if (!closing_) Flush();
  Weigh();
}

void Peer::Close(std::string_view reason) {
  if (closing_) return;
  closing_ = true;
  reason_ = reason;
  engine_.Doom(*this);
}

}  // namespace micro::natsd
