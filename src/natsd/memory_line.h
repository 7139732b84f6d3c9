#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "natsd/in_process.h"
#include "natsd/slab.h"

namespace micro::natsd {

class Engine;
class MemoryClient;
class OutQueue;

/// What lies between a client within the process and the server's thread: bytes of the protocol, in
/// both directions, as a socket would carry them. The client's side may be used from any thread.
class MemoryLine : public std::enable_shared_from_this<MemoryLine> {
 public:
  /// Whole operations, for the server.
  struct Batch {
    SlabRef slab;
    std::size_t size = 0;
  };

  MemoryLine(Engine& engine, InProcessOptions options);
  ~MemoryLine();
  MemoryLine(const MemoryLine&) = delete;
  MemoryLine& operator=(const MemoryLine&) = delete;

  // The client's side.
  void Start();
  void Stop();
  Status Publish(std::string_view subject, std::string_view payload, std::string_view reply,
                 std::string_view headers);
  Result<InProcessClient::Id> Subscribe(std::string_view subject, std::string_view queue,
                                        InProcessClient::Callback callback, std::uint64_t max);
  void Unsubscribe(InProcessClient::Id id);
  void Drain(InProcessClient::Id id);
  Status Flush();
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // The server's side, on its thread.
  /// Has the server take what is here.
  void TellServer();
  const InProcessOptions& options() const { return options_; }
  void set_server(MemoryClient* server) { server_ = server; }
  /// What the client has sent since the last time.
  std::vector<Batch> Take();
  /// So many bytes of it have been dealt with.
  void Taken(std::size_t size);
  /// Whole lines for the client.
  void Arrive(const OutQueue& out);
  /// Bytes that callbacks have yet to see.
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  /// Has the server told when most of what waits is gone.
  void CallForRoom();
  void Drop(std::uint64_t messages) { dropped_.fetch_add(messages, std::memory_order_relaxed); }
  /// The server is gone.
  void End();

 private:
  // How much callbacks deal with before the server hears of it, and with how little left to do it
  // hears that there is room again.
  static constexpr std::size_t kSeenAtOnce = std::size_t{64} << 10U;
  static constexpr std::size_t kRoomAgain = std::size_t{256} << 10U;

  struct Sub {
    InProcessClient::Callback callback;
    std::uint64_t max = 0;
    std::uint64_t delivered = 0;
    std::uint64_t ends_with = 0;  // a PONG; 0: it is not draining
    std::atomic<bool> closed{false};
    std::atomic<bool> running{false};
  };
  using SubPtr = std::shared_ptr<Sub>;

  Status CheckPublish(std::string_view subject, std::string_view payload, std::string_view reply,
                      std::string_view headers) const;
  bool OnDeliveryThread() const { return std::this_thread::get_id() == thread_.get_id(); }
  void Put(std::unique_lock<std::mutex>& lock, std::initializer_list<std::string_view> parts);
  Status WaitTaken(std::unique_lock<std::mutex>& lock);
  SubPtr Remove(InProcessClient::Id id);

  void Deliver();
  void DeliverAll(std::string_view bytes);
  std::size_t DeliverLine(std::string_view bytes);
  void Call(InProcessClient::Id id, const InProcessMessage& message);
  const SubPtr& Find(InProcessClient::Id id);
  void OnPong();
  void Seen(std::size_t size);
  void TellOfRoom();

  Engine& engine_;
  const InProcessOptions options_;
  MemoryClient* server_ = nullptr;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable taken_changed_;  // or it has ended, or a PONG has come
  std::vector<Batch> full_;
  Batch current_;
  bool posted_ = false;
  bool ended_ = false;
  std::uint64_t sent_ = 0;  // bytes, ever
  std::uint64_t taken_ = 0;
  int waiters_ = 0;
  std::uint64_t pings_ = 0;
  std::uint64_t pongs_ = 0;
  std::unordered_map<InProcessClient::Id, SubPtr> subs_;
  InProcessClient::Id last_id_ = 0;

  std::mutex arrived_mutex_;
  std::condition_variable arrived_changed_;
  std::string arrived_;
  bool stopping_ = false;
  std::atomic<bool> call_for_room_{false};
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::uint64_t> dropped_{0};

  // The delivery thread's own.
  InProcessClient::Id known_id_ = 0;
  SubPtr known_;
};

}  // namespace micro::natsd
