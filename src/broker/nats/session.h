#pragma once

#include <nats/nats.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "micro/broker.h"

#include "base/throttle.h"
#include "broker/counts.h"
#include "broker/recipient.h"
#include "nats/settings.h"

namespace micro::nats {

/// A connection to NATS that does not give up. One thread of its own does all there is to do with
/// libnats, so that whoever publishes never waits for a socket.
class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(Settings settings, const BrokerConfig& config);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Once, before the rest.
  void Start();
  /// RESOURCE_EXHAUSTED when too much waits, or the server takes no message so large.
  Status Publish(std::string_view subject, std::string data);
  /// Waits until the server knows, as long as it is there.
  Status Subscribe(const broker::RecipientPtr& recipient);
  /// Waits until the recipient has what had arrived, and is called no more.
  void Unsubscribe(const broker::RecipientPtr& recipient);
  /// Sends what waits, for up to `grace`, and closes. Nothing the second time.
  void End(Duration grace);

 private:
  struct Outgoing {
    std::string subject;
    std::string data;
    std::size_t bytes() const { return subject.size() + data.size(); }
  };
  enum class Stage : std::uint8_t { kNew, kMade, kKnown };
  struct Sub {
    broker::RecipientPtr recipient;
    natsSubscription* handle = nullptr;
    Stage stage = Stage::kNew;
    std::atomic<bool> wanted = true;
  };
  class Callbacks;

  // On the thread.
  void Run();
  bool Due() const;
  bool Closed();
  void Dial();
  void Redial();
  void Settle();
  void Make(Sub& sub);
  void Drop(Sub& sub);
  void Send();
  natsStatus Send(const Outgoing& outgoing);
  void Finish();

  // On threads of libnats.
  void OnConnected(natsConnection* connection, bool again);
  void OnDisconnected();
  void OnClosed();
  void OnError(natsStatus status, const std::string& subject);

  void Say(LogLevel level, const std::string& line);
  void NoteWaiting(std::size_t bytes);

  const Settings settings_;
  const std::shared_ptr<Logger> logger_;
  const std::size_t max_pending_;
  const std::size_t max_message_;
  const Duration patience_;
  const std::shared_ptr<broker::Counts> counts_;
  std::uint64_t number_ = 0;  // in the table of sessions

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Outgoing> queue_;
  std::size_t waiting_bytes_ = 0;
  std::vector<std::shared_ptr<Sub>> subs_;
  std::int64_t max_payload_ = 0;  // 0: not known yet
  bool connected_ = false;
  bool complained_ = false;
  bool closed_ = false;  // for good, by libnats
  bool ending_ = false;
  TimePoint end_{};
  Throttle losing_;
  Throttle slow_;

  natsConnection* connection_ = nullptr;  // the thread's own
  std::thread thread_;
};

}  // namespace micro::nats
