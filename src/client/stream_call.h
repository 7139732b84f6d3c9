#pragma once

#include <optional>
#include <string>
#include <vector>

#include "micro/stream.h"

#include "client/call.h"
#include "client/parent_watch.h"

namespace micro::client {

/// One streaming call, from the moment its client asks for it. Lives on one loop; held by its
/// client's handle, and by itself while it is under way.
///
/// Middleware stands around the whole of it: it returns when the stream has ended. Another node is
/// tried only as long as nothing went either way that could not be repeated.
class StreamCall final : public internal::ClientMessageStream, public Call {
 public:
  StreamCall(EventLoop& loop, const ClientParts& parts, PerLoop& per_loop,
             const std::vector<Middleware>& middleware, const std::string& service,
             const MethodInfo& method, const CallOptions& options);

  /// The one request of a method that has one; before Start.
  void SetRequest(const google::protobuf::Message& request);
  /// There will be no call; instead of Start.
  void Refuse(Status why);

  // internal::ClientMessageStream
  EventLoop& loop() override { return loop_; }
  transport::Read TryRead(google::protobuf::Message& message) override;
  void WaitReadable(transport::Waiter& waiter) override;
  bool Write(const google::protobuf::Message& message) override;
  bool writable() const override;
  void WaitWritable(transport::Waiter& waiter) override;
  Status status() const override { return status_; }
  void Start() override;
  void CloseSend() override;
  void Cancel() override;
  bool done() const override { return done_; }
  void WaitDone(transport::Waiter& waiter) override { done_waiter_ = &waiter; }
  const Context& context() const override { return context_; }

 private:
  class Ending;
  struct Relay final : transport::Waiter {
    void Wake() override {
      if (auto* woken = std::exchange(waiter, nullptr)) woken->Wake();
    }
    transport::Waiter* waiter = nullptr;
  };

  static internal::Detached Drive(std::shared_ptr<StreamCall> self);
  Task<Attempt> Exchange(transport::Connection& connection) override;
  // Streams are not hedged.
  Task<Attempt> Hedge(Pick* /*first*/) override { co_return Attempt{OutOfTime()}; }
  Attempt Settle(bool in_time);
  void Begin();
  void EndAttempt();
  void Finish(Status status);
  bool open() const { return stream_ != nullptr && !attempt_over_; }

  EventLoop& loop_;
  const std::vector<Middleware>& middleware_;
  Chain chain_;
  std::optional<ParentWatch> watch_;
  std::optional<std::string> request_;  // encoded, behind the transport's headroom
  Status broken_;                       // why nothing more can be read
  Status status_;
  transport::ClientStreamPtr stream_;
  Ending* ending_ = nullptr;
  std::string in_;
  std::string out_;
  bool send_closed_ = false;
  bool touched_ = false;  // a message went either way that cannot be repeated
  bool has_head_ = false;
  bool attempt_over_ = false;
  bool done_ = false;
  Relay reader_;
  Relay writer_;
  transport::Waiter* done_waiter_ = nullptr;
};

}  // namespace micro::client
