#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "natsd/out_queue.h"
#include "natsd/stats.h"

namespace micro::natsd {

class Engine;
struct Subscription;

/// Whoever messages go to: a client, or another server by its route.
class Peer {
 public:
  enum class Kind : std::uint8_t { kClient, kRoute };

  Peer(Engine& engine, Kind kind);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;

  Kind kind() const { return kind_; }
  std::uint64_t id() const { return id_; }
  Traffic& traffic() { return traffic_; }
  const OutQueue& out() const { return out_; }

  bool headers() const { return headers_; }
  bool echo() const { return echo_; }
  bool closing() const { return closing_; }
  /// Whether large payloads may stay in the slab they were read into.
  bool shares() const { return shares_; }
  /// Whether those who publish to it should wait a little.
  bool crowded() const { return crowded_; }

  /// Whether what is published to `subject` may go to its `subscription`.
  virtual bool MayReceive(const Subscription& subscription, std::string_view subject) const {
    (void)subscription, (void)subject;
    return true;
  }
  /// Whether it must be told of each delivery, by Learn.
  bool learns() const { return learns_; }
  /// A message that wants an answer at `reply` is being delivered.
  virtual void Learn(std::string_view reply) { (void)reply; }
  /// A subscription has had all the messages it wants.
  virtual void Complete(Subscription& subscription) { (void)subscription; }

  /// Queues whole lines; they leave at the end of the turn, or sooner when they are many.
  void Send(std::string_view bytes) {
    out_.Append(bytes);
    Queued();
  }
  void Send(std::string_view head, std::string_view tail) {
    out_.Append(head, tail);
    Queued();
  }
  void Send(std::string_view head, std::string_view body, std::string_view tail) {
    out_.Append(head, body);
    out_.Append(tail);
    Queued();
  }
  /// As Send, but the tail stays where it is, in `slab`.
  void SendShared(std::string_view head, const SlabRef& slab, std::string_view tail) {
    out_.Append(head);
    out_.AppendShared(slab, tail);
    Queued();
  }
  /// "-ERR 'text'".
  void SendError(std::string_view text);

  /// Ends it by the end of the turn: nothing is delivered to it any more.
  void Close(std::string_view reason);
  const std::string& reason() const { return reason_; }

  /// The end of a turn in which something was queued: writes it.
  void EndTurn();
  /// Closes what it reads and writes; the last thing that happens to it.
  virtual void OnClosed() = 0;

  /// Calls back `client`, by its id, when there is room again.
  void AddWaiting(std::uint64_t client) { waiting_.push_back(client); }

 protected:
  Engine& engine() const { return engine_; }

  /// Writes what the other side takes.
  virtual void Flush() = 0;
  /// Whether it takes no more for now.
  virtual bool blocked() const = 0;
  /// More waits for it than Options::max_pending. Nothing, for those who have no limit.
  virtual void TooMuch() {}
  /// There is room to write again.
  void OnRoom();

  OutQueue out_;
  Traffic traffic_;
  bool headers_ = false;
  bool echo_ = true;
  bool closing_ = false;
  bool learns_ = false;
  bool shares_ = true;

 private:
  void Queued() {
    if (!dirty_) MarkDirty();
    if (out_.pending() > flush_mark_) OnMuch();
  }
  void MarkDirty();
  void OnMuch();
  void Weigh();
  void WakeWaiting();

  Engine& engine_;
  const Kind kind_;
  bool dirty_ = false;
  bool crowded_ = false;
  std::size_t flush_mark_;
  const std::uint64_t id_;
  std::string reason_;
  std::vector<std::uint64_t> waiting_;  // clients that publish to it
};

}  // namespace micro::natsd
