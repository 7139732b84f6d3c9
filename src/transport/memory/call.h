#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "micro/transport.h"

namespace micro::memory {

/// One call within the process: two ends and the messages between them. Each end lives on its own
/// side's loop and is woken by way of it, never from within the other end's call.
class Call final : public std::enable_shared_from_this<Call> {
 public:
  Call(EventLoop& client_loop, EventLoop& server_loop, transport::CallHead head, std::string peer,
       const transport::Limits& limits);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  transport::ClientStreamPtr client();
  transport::ServerStreamPtr server();

  /// Ends it for both sides, from any thread. `unprocessed`: the server has not begun with it.
  void Break(Code code, std::string why, bool unprocessed = false);
  /// Whether it has ended, be it before the server has seen it.
  bool over() const;
  EventLoop& server_loop() { return server_loop_; }

 private:
  // Someone who waits on a loop. He is there only as long as his end has not been released, and so
  // is his loop.
  struct Seat {
    EventLoop& loop;
    transport::Waiter* waiter = nullptr;
  };
  // Messages in one direction.
  struct Lane {
    Lane(EventLoop& from, EventLoop& to) : reader{to}, writer{from} {}
    bool readable() const { return !messages.empty() || ended; }
    bool writable() const;

    std::deque<std::string> messages;
    bool ended = false;
    Seat reader;
    Seat writer;
  };

  class ClientEnd;
  class ServerEnd;

  transport::Read TryRead(Lane& lane, std::string& message);
  void Write(Lane& lane, std::string& message);
  bool Writable(const Lane& lane) const;
  void CloseLane(Lane& lane);
  void SetMetadata(const Metadata& metadata);
  void Finish(Status status, const Metadata& trailers);
  template <typename Ready>
  void Sit(Seat& seat, transport::Waiter& waiter, Ready ready);
  void Leave(std::initializer_list<Seat*> seats);
  // With the lock held, as are those below.
  bool HasRoom(const Lane& lane) const { return finished_ || lane.writable(); }
  void Wake(Seat& seat);
  void Abandon(Status status);
  void End(Status status, const Metadata& trailers);

  EventLoop& server_loop_;
  transport::CallHead head_;
  const std::string peer_;
  const transport::Limits limits_;

  mutable std::mutex mutex_;  // guards what follows
  Lane to_server_;
  Lane to_client_;
  Seat close_;
  Metadata metadata_;
  Metadata trailers_;
  Status status_;
  bool finished_ = false;
  bool abandoned_ = false;  // it ended before the server had finished it
  bool unprocessed_ = false;

  std::unique_ptr<ClientEnd> client_;
  std::unique_ptr<ServerEnd> server_;
  std::shared_ptr<Call> client_hold_;  // each touched on its end's loop
  std::shared_ptr<Call> server_hold_;
};

}  // namespace micro::memory
