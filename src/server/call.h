#pragma once

#include <string>

#include "micro/codec.h"
#include "micro/handler.h"
#include "micro/stream.h"
#include "micro/transport.h"

#include "base/call_context.h"
#include "base/chain.h"
#include "runtime/timer.h"
#include "server/method_table.h"

namespace micro::server {

/// What a call needs of the server it runs in.
class Host {
 public:
  virtual Runtime& runtime() = 0;
  virtual const std::string& name() const = 0;
  virtual const MethodTable& methods() const = 0;
  virtual const Codecs& codecs() const = 0;
  virtual const std::vector<Middleware>& middleware() const = 0;
  virtual observe::Observer& observer() = 0;
  /// A call is over and its resources are given back.
  virtual void OnDone(bool probe) = 0;

 protected:
  ~Host() = default;
};

/// One call that is served, from its first header to its last byte. Lives on the stream's loop, and
/// until the handler has returned, even when the caller has long gone.
class Call final : public ServerCall, public Next::Step, public internal::MessageStream {
 public:
  Call();

  /// Begins with a stream that has come in; the call sees to its own end. `probe`: it asks for the
  /// server's load, and is no part of it.
  static void Begin(Host& host, transport::ServerStreamPtr stream, bool probe);

  Context& context() override { return context_; }
  Runtime& runtime() override { return host_->runtime(); }
  Status ReadRequest(google::protobuf::Message& request) override;
  Status WriteResponse(const google::protobuf::Message& response) override;
  internal::MessageStream& stream() override { return *this; }

  // internal::MessageStream
  EventLoop& loop() override { return *loop_; }
  transport::Read TryRead(google::protobuf::Message& message) override;
  void WaitReadable(transport::Waiter& waiter) override { stream_->WaitReadable(waiter); }
  bool Write(const google::protobuf::Message& message) override;
  bool writable() const override { return answered_ || stream_->writable(); }
  void WaitWritable(transport::Waiter& waiter) override { stream_->WaitWritable(waiter); }
  Status status() const override { return over_; }

  Task<Status> Run(Context& context) override;

 private:
  struct OnReadable final : transport::Waiter {
    explicit OnReadable(Call& owner) : call(owner) {}
    void Wake() override { call.Advance(); }
    Call& call;
  };
  struct OnClosed final : transport::Waiter {
    explicit OnClosed(Call& owner) : call(owner) {}
    void Wake() override { call.CallerGone(); }
    Call& call;
  };
  struct OnDeadline final : runtime::Timer {
    explicit OnDeadline(Call& owner) : call(owner) {}
    void Fire() override { call.Expire(); }
    Call& call;
  };

  Status Prepare();
  Status ChooseCodec();
  void TakeTimeout();
  bool one_request() const;
  bool one_response() const;
  Status Sniff(google::protobuf::Message& request, Status failed);
  void ArmDeadline();
  void Advance();
  internal::Detached Serve();
  void Over(Status why);
  void CallerGone();
  void Expire();
  void LetGo();
  void Answer(const Status& status);
  void AnswerOk();
  void SetHead();
  void Observe();
  void Done();

  Host* host_ = nullptr;
  EventLoop* loop_ = nullptr;
  transport::ServerStreamPtr stream_;
  CallContext context_;
  Chain chain_;
  const Served* served_ = nullptr;
  const Codec* codec_ = nullptr;
  observe::CallStats* stats_ = nullptr;
  TimePoint began_;
  Code code_ = Code::kOk;  // that it ended with
  std::string request_;
  std::string response_;
  Status over_;  // why there is no more to read or write, beside the caller's half-close
  bool probe_ = false;
  bool sniffed_ = false;
  bool head_set_ = false;
  bool serving_ = false;
  bool answered_ = false;
  bool held_ = false;  // by what is under way, which must not lose it
  bool done_ = false;  // while it was held
  OnReadable readable_{*this};
  OnClosed closed_{*this};
  OnDeadline deadline_{*this};
};

}  // namespace micro::server
