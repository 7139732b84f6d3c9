#include "broker/nats/session.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/overload.h"
#include "broker/inlet.h"
#include "broker/message.h"
#include "runtime/timer.h"

namespace micro::nats {
namespace {

using broker::RecipientPtr;

// Between two attempts to connect, where libnats does not make them.
constexpr std::chrono::milliseconds kRetry{500};
// Until a server that takes nothing is tried again.
constexpr std::chrono::milliseconds kPause{20};
// For a round trip to the server.
constexpr std::chrono::milliseconds kRoundTrip{2'000};
// Messages sent between two looks at what else there is to do.
constexpr int kBatch = 64;
// What libnats keeps for a subscription, which is taken from at once.
constexpr int kMostArrived = 65'536;
constexpr int kMostArrivedBytes = 64 << 20;

std::string Why(natsStatus status) {
  const char* more = nats_GetLastError(nullptr);
  const std::string text = natsStatus_GetText(status);
  return more != nullptr && *more != '\0' ? text + " (" + more + ")" : text;
}

// libnats calls back with a pointer, perhaps when what it points to has gone: the pointer is a
// number in here.
class Sessions {
 public:
  static Sessions& All() {
    static auto* all = new Sessions;  // callbacks come as long as the process lives
    return *all;
  }
  std::uint64_t Add(const std::weak_ptr<Session>& session) {
    const std::lock_guard lock(mutex_);
    sessions_[++last_] = session;
    return last_;
  }
  void Remove(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(number);
  }
  std::shared_ptr<Session> Find(const void* closure) {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(reinterpret_cast<std::uint64_t>(closure));
    return found == sessions_.end() ? nullptr : found->second.lock();
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<Session>> sessions_;
  std::uint64_t last_ = 0;
};

}  // namespace

class Session::Callbacks {
 public:
  static void Message(natsConnection* /*connection*/, natsSubscription* /*subscription*/,
                      natsMsg* message, void* closure) {
    const auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message));
    static_cast<broker::Inlet*>(closure)->Take(natsMsg_GetSubject(message),
                                               {natsMsg_GetData(message), size});
    natsMsg_Destroy(message);
  }
  static void Complete(void* closure) { delete static_cast<broker::Inlet*>(closure); }
  static void Reconnected(natsConnection* connection, void* closure) {
    if (const auto session = Sessions::All().Find(closure)) session->OnConnected(connection, true);
  }
  static void Disconnected(natsConnection* /*connection*/, void* closure) {
    if (const auto session = Sessions::All().Find(closure)) session->OnDisconnected();
  }
  static void Closed(natsConnection* /*connection*/, void* closure) {
    if (const auto session = Sessions::All().Find(closure)) session->OnClosed();
  }
  static void Error(natsConnection* /*connection*/, natsSubscription* subscription,
                    natsStatus status, void* closure) {
    const auto session = Sessions::All().Find(closure);
    if (!session) return;
    const char* subject =
        subscription == nullptr ? nullptr : natsSubscription_GetSubject(subscription);
    session->OnError(status, subject == nullptr ? "" : subject);
  }
};

Session::Session(Settings settings, const BrokerConfig& config)
    : settings_(std::move(settings)),
      logger_(config.logger ? config.logger : StderrLogger()),
      max_pending_(config.max_pending),
      max_message_(config.max_message),
      patience_(config.timeout + kRoundTrip),
      counts_(std::make_shared<broker::Counts>(config.metrics)) {}

Session::~Session() {
  if (thread_.joinable()) thread_.join();
  Sessions::All().Remove(number_);
}

void Session::Start() {
  number_ = Sessions::All().Add(weak_from_this());
  // NOLINTNEXTLINE(performance-no-int-to-ptr): libnats hands it back as it is
  void* const closure = reinterpret_cast<void*>(number_);
  natsOptions* to = settings_.options.get();
  natsOptions_SetReconnectedCB(to, &Callbacks::Reconnected, closure);
  natsOptions_SetDisconnectedCB(to, &Callbacks::Disconnected, closure);
  natsOptions_SetClosedCB(to, &Callbacks::Closed, closure);
  natsOptions_SetErrorHandler(to, &Callbacks::Error, closure);
  thread_ = std::thread([this] { Run(); });
}

Status Session::Publish(std::string_view subject, std::string data) {
  Outgoing outgoing{.subject = std::string(subject), .data = std::move(data)};
  const std::size_t bytes = outgoing.bytes();
  const std::lock_guard lock(mutex_);
  if (ending_) return broker::Disconnected();
  if (max_payload_ > 0 && std::cmp_greater(outgoing.data.size(), max_payload_)) {
    return ResourceExhausted("a message of " + std::to_string(outgoing.data.size()) +
                             " bytes in its envelope is too large: the NATS server takes " +
                             std::to_string(max_payload_) + " (its max_payload)");
  }
  if (waiting_bytes_ + bytes > max_pending_) {
    counts_->refused.Add();
    return Fails(Overloaded(std::to_string(waiting_bytes_) +
                            " bytes of messages wait for NATS at " + settings_.servers +
                            (connected_ ? "" : ", which is away") + " (--broker_max_pending)"));
  }
  NoteWaiting(waiting_bytes_ + bytes);
  queue_.push_back(std::move(outgoing));
  if (queue_.size() == 1) changed_.notify_all();
  return Ok();
}

void Session::NoteWaiting(std::size_t bytes) {
  waiting_bytes_ = bytes;
  counts_->pending.Set(static_cast<double>(bytes));
}

Status Session::Subscribe(const RecipientPtr& recipient) {
  const auto sub = std::make_shared<Sub>();
  sub->recipient = recipient;
  std::unique_lock lock(mutex_);
  if (ending_) return broker::Disconnected();
  subs_.push_back(sub);
  changed_.notify_all();
  changed_.wait_for(lock, patience_, [&] {
    return ending_ || sub->stage == Stage::kKnown || (complained_ && !connected_);
  });
  return Ok();
}

void Session::Unsubscribe(const RecipientPtr& recipient) {
  std::unique_lock lock(mutex_);
  const auto own = std::ranges::find(subs_, recipient, &Sub::recipient);
  if (own != subs_.end() && !ending_) {
    (*own)->wanted = false;
    changed_.notify_all();
    changed_.wait_for(lock, patience_, [&] {
      return ending_ || std::ranges::find(subs_, recipient, &Sub::recipient) == subs_.end();
    });
  }
  lock.unlock();
  recipient->End();
}

void Session::End(Duration grace) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ending_, true)) return;
    end_ = runtime::Later(std::chrono::steady_clock::now(), grace);
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

// --- the thread ----------------------------------------------------------------------------------

bool Session::Due() const {
  if (ending_ || closed_ || connection_ == nullptr) return true;
  if (connected_ && !queue_.empty()) return true;
  return std::ranges::any_of(subs_, [this](const auto& sub) {
    return sub->stage == Stage::kNew || !sub->wanted || (sub->stage == Stage::kMade && connected_);
  });
}

bool Session::Closed() {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Session::Run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return Due(); });
      if (ending_) break;
    }
    if (Closed()) Redial();
    if (connection_ == nullptr) {
      Dial();
    } else {
      Settle();
      Send();
    }
  }
  Finish();
  nats_ReleaseThreadMemory();
}

void Session::Dial() {
  natsConnection* made = nullptr;
  const natsStatus status = natsConnection_Connect(&made, settings_.options.get());
  if (status == NATS_OK) {
    connection_ = made;
    return OnConnected(made, false);
  }
  std::unique_lock lock(mutex_);
  if (!std::exchange(complained_, true)) {
    Say(LogLevel::kError,
        "cannot connect to NATS at " + settings_.servers + ", trying again: " + Why(status));
  }
  changed_.notify_all();
  if (ending_) changed_.wait_for(lock, kPause);
  changed_.wait_for(lock, kRetry, [this] { return ending_; });
}

// libnats takes some errors of a server's for the end.
void Session::Redial() {
  std::vector<std::shared_ptr<Sub>> subs;
  {
    const std::lock_guard lock(mutex_);
    closed_ = connected_ = false;
    subs = subs_;
  }
  for (const auto& sub : subs) {
    natsSubscription_Destroy(std::exchange(sub->handle, nullptr));
    const std::lock_guard lock(mutex_);
    sub->stage = Stage::kNew;
  }
  natsConnection_Destroy(std::exchange(connection_, nullptr));
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kRetry, [this] { return ending_; });
}

// Brings the server up to date about subscriptions.
void Session::Settle() {
  std::vector<std::shared_ptr<Sub>> subs;
  bool connected = false;
  {
    const std::lock_guard lock(mutex_);
    subs = subs_;
    connected = connected_;
  }
  std::vector<std::shared_ptr<Sub>> fresh;
  for (const auto& sub : subs) {
    if (!sub->wanted) Drop(*sub);
    if (sub->wanted && sub->stage == Stage::kNew) Make(*sub);
    if (sub->wanted && sub->stage != Stage::kKnown) fresh.push_back(sub);
  }
  const bool known = connected && !fresh.empty() &&
                     natsConnection_FlushTimeout(connection_, kRoundTrip.count()) == NATS_OK;
  std::unique_lock lock(mutex_);
  for (const auto& sub : fresh) {
    if (known && sub->stage == Stage::kMade) sub->stage = Stage::kKnown;
  }
  std::erase_if(subs_, [](const auto& sub) { return !sub->wanted && sub->handle == nullptr; });
  changed_.notify_all();
  if (connected && !known && !fresh.empty()) changed_.wait_for(lock, kPause);
}

void Session::Make(Sub& sub) {
  auto inlet = std::make_unique<broker::Inlet>(sub.recipient, counts_, logger_, max_message_);
  const TopicFilter& filter = sub.recipient->filter();
  natsSubscription* made = nullptr;
  const natsStatus status =
      filter.queue.empty()
          ? natsConnection_Subscribe(&made, connection_, filter.topic.c_str(), &Callbacks::Message,
                                     inlet.get())
          : natsConnection_QueueSubscribe(&made, connection_, filter.topic.c_str(),
                                          filter.queue.c_str(), &Callbacks::Message, inlet.get());
  if (status != NATS_OK) {
    Say(LogLevel::kError, "cannot subscribe to " + filter.topic + ": " + Why(status));
    const std::lock_guard lock(mutex_);
    closed_ = true;  // a connection that cannot is none
    return;
  }
  natsSubscription_SetPendingLimits(made, kMostArrived, kMostArrivedBytes);
  natsSubscription_SetOnCompleteCB(made, &Callbacks::Complete, inlet.release());
  sub.handle = made;
  const std::lock_guard lock(mutex_);
  sub.stage = Stage::kMade;
}

void Session::Drop(Sub& sub) {
  natsSubscription* handle = std::exchange(sub.handle, nullptr);
  if (handle == nullptr) return;
  const bool drains = natsConnection_Status(connection_) == NATS_CONN_STATUS_CONNECTED &&
                      natsSubscription_DrainTimeout(handle, kRoundTrip.count()) == NATS_OK;
  if (drains) {
    natsSubscription_WaitForDrainCompletion(handle, kRoundTrip.count());
  } else {
    natsSubscription_Unsubscribe(handle);
  }
  natsSubscription_Destroy(handle);
}

void Session::Send() {
  for (int i = 0; i < kBatch; ++i) {
    Outgoing outgoing;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty() || !connected_) return;
      outgoing = std::move(queue_.front());
      queue_.pop_front();
    }
    const natsStatus status = Send(outgoing);
    const bool again = status == NATS_INSUFFICIENT_BUFFER || status == NATS_CONNECTION_CLOSED;
    std::unique_lock lock(mutex_);
    if (again) {
      closed_ = closed_ || status == NATS_CONNECTION_CLOSED;
      queue_.push_front(std::move(outgoing));
      changed_.wait_for(lock, kPause);
      return;
    }
    NoteWaiting(waiting_bytes_ - outgoing.bytes());
    if (status == NATS_OK) continue;
    counts_->lost.Add();
    const auto count = losing_.Pass(std::chrono::steady_clock::now());
    if (!count) continue;
    Say(LogLevel::kError, "could not send " + std::to_string(*count) + " messages, the last on " +
                              outgoing.subject + ": " + Why(status));
  }
}

natsStatus Session::Send(const Outgoing& outgoing) {
  return natsConnection_Publish(connection_, outgoing.subject.c_str(), outgoing.data.data(),
                                static_cast<int>(outgoing.data.size()));
}

void Session::Finish() {
  const auto left = [this] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(end_ -
                                                                 std::chrono::steady_clock::now())
        .count();
  };
  // A program that only publishes may be at its end before it was ever connected.
  while (left() > 0) {
    {
      std::unique_lock lock(mutex_);
      if (queue_.empty()) break;
      const auto ready = [this] { return connected_ || connection_ == nullptr || closed_; };
      if (!changed_.wait_until(lock, end_, ready)) break;
    }
    if (Closed()) Redial();
    if (connection_ == nullptr) Dial();
    if (connection_ != nullptr) Send();
  }
  if (connection_ != nullptr && left() > 0) natsConnection_FlushTimeout(connection_, left());
  for (const auto& sub : subs_) {
    natsSubscription_Destroy(std::exchange(sub->handle, nullptr));
    sub->recipient->End();
  }
  natsConnection_Destroy(std::exchange(connection_, nullptr));
  const std::lock_guard lock(mutex_);
  if (!queue_.empty()) {
    counts_->lost.Add(queue_.size());
    Say(LogLevel::kWarn, std::to_string(queue_.size()) + " messages for NATS at " +
                             settings_.servers + " were not sent before the end");
  }
  queue_.clear();
  NoteWaiting(0);
  counts_->connected.Set(0);
}

// --- what libnats tells
// ---------------------------------------------------------------------------

void Session::OnConnected(natsConnection* connection, bool again) {
  const std::lock_guard lock(mutex_);
  connected_ = true;
  max_payload_ = natsConnection_GetMaxPayload(connection);
  counts_->connected.Set(1);
  if (again) counts_->reconnects.Add();
  if (again || complained_) Say(LogLevel::kInfo, "connected to NATS at " + settings_.servers);
  complained_ = false;
  changed_.notify_all();
}

void Session::OnDisconnected() {
  const std::lock_guard lock(mutex_);
  connected_ = false;
  counts_->connected.Set(0);
  if (ending_) return;
  if (!std::exchange(complained_, true)) {
    Say(LogLevel::kWarn, "lost NATS at " + settings_.servers + ", trying to come back");
  }
}

void Session::OnClosed() {
  const std::lock_guard lock(mutex_);
  connected_ = false;
  counts_->connected.Set(0);
  closed_ = true;
  changed_.notify_all();
}

void Session::OnError(natsStatus status, const std::string& subject) {
  if (status != NATS_SLOW_CONSUMER) {
    Say(LogLevel::kWarn, "NATS at " + settings_.servers + ": " + Why(status) +
                             (subject.empty() ? "" : ", about " + subject));
    return;
  }
  counts_->slow.Add();
  if (!slow_.Pass(std::chrono::steady_clock::now())) return;
  Say(LogLevel::kWarn,
      "messages on " + subject + " came faster than they were taken, and were " + "dropped");
}

void Session::Say(LogLevel level, const std::string& line) { logger_->Write(level, line); }

}  // namespace micro::nats
