#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <nlohmann/json_fwd.hpp>

#include "micro/events.h"

#include "base/throttle.h"
#include "events/jetstream/link.h"

namespace micro::jetstream {

/// One consumer and its thread: asks the server for events and hands them out, one at a time.
class Consumer {
 public:
  Consumer(std::shared_ptr<Link> link, const std::string& topic, ConsumeOptions options,
           Events::Consumer consumer);
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer() { Stop(); }

  /// Once; the group exists when it returns.
  Status Start();
  /// Waits for the event that is handed out.
  void Stop();

 private:
  Status Open();
  Status FindGroup(const Connection& connection);
  Status MakeGroup(const Connection& connection);
  nlohmann::json Config() const;
  Status Listen(const Connection& connection);
  void Close();
  void Run();
  natsStatus Fetch();
  void HandOut(natsMsg* message, TimePoint arrived);
  std::optional<StoredEvent> Read(natsMsg* message) const;
  bool Pause();
  void Complain(const std::string& why);
  bool stopped();

  const std::shared_ptr<Link> link_;
  const ConsumeOptions options_;
  const Events::Consumer consumer_;
  const std::string subject_;
  const std::string name_;  // of the group at the server
  ConnectionPtr connection_;
  std::uint64_t last_ = 0;  // the sequence handed out last
  std::size_t batch_ = 1;   // events asked for at a time
  Throttle complaining_;

  std::mutex mutex_;
  std::condition_variable changed_;
  natsSubscription* subscription_ = nullptr;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace micro::jetstream
