#pragma once

#include <deque>
#include <memory>
#include <string>

#include "micro/transport.h"

namespace micro::memory {

/// One call within the process: two ends and the messages between them. Everything happens on one
/// loop; an end is woken by way of the loop, never from within the other end's call.
class Call final : public std::enable_shared_from_this<Call> {
 public:
  Call(EventLoop& loop, transport::CallHead head, std::string peer,
       const transport::Limits& limits);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  transport::ClientStreamPtr client();
  transport::ServerStreamPtr server();

  /// Ends it for both sides. On its loop.
  void Break(Code code, std::string why);
  EventLoop& loop() { return loop_; }

 private:
  // Messages in one direction.
  struct Lane {
    std::deque<std::string> messages;
    bool ended = false;
    transport::Waiter* reader = nullptr;
    transport::Waiter* writer = nullptr;
  };

  class ClientEnd;
  class ServerEnd;

  transport::Read TryRead(Lane& lane, std::string& message);
  void Write(Lane& lane, std::string& message);
  void Finish(Status status, const Metadata& trailers);
  void Wake(transport::Waiter* Lane::* waiter, Lane& lane);
  void WakeClosed();
  void Later(std::move_only_function<void()> action);

  EventLoop& loop_;
  transport::CallHead head_;
  std::string peer_;
  transport::Limits limits_;
  Lane to_server_;
  Lane to_client_;
  Metadata metadata_;
  Metadata trailers_;
  Status status_;
  bool finished_ = false;
  bool abandoned_ = false;
  transport::Waiter* close_waiter_ = nullptr;
  std::unique_ptr<ClientEnd> client_;
  std::unique_ptr<ServerEnd> server_;
  std::shared_ptr<Call> client_hold_;
  std::shared_ptr<Call> server_hold_;
};

}  // namespace micro::memory
