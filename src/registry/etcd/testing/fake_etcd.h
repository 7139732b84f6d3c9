#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/message_lite.h>
#include <gtest/gtest.h>

#include "micro/runtime.h"
#include "micro/transport.h"

#include "registry/etcd/client.h"

namespace micro::etcd::testing {

/// What a fake etcd does about a message.
struct Reaction {
  std::vector<std::string> messages{};  ///< encoded, to be sent back
  std::optional<Status> end{};          ///< ends the call
};

/// The one answer of a call.
inline Reaction Answer(const google::protobuf::MessageLite& response) {
  return {.messages = {Encode(response)}, .end = Ok()};
}
/// An answer on a stream that stays open.
inline Reaction Say(const google::protobuf::MessageLite& response) {
  return {.messages = {Encode(response)}};
}
inline Reaction Refuse(Status why) { return {.messages = {}, .end = std::move(why)}; }

/// A message that came to a fake etcd.
struct Heard {
  std::string method;  ///< "KV/Range"
  std::string token;   ///< of who sent it
  std::string message;

  template <typename Message>
  Message As() const {
    Message read;
    EXPECT_TRUE(read.ParseFromString(message)) << method;
    return read;
  }
};

/// A server that does with every message as its script says, to see what a client makes of it. The
/// script runs on the fake's loop.
class FakeEtcd final : public transport::Acceptor {
 public:
  using Script = std::function<Reaction(const Heard&)>;

  /// On `loop`, which `transport` has no other beside.
  FakeEtcd(EventLoop& loop, Transport& transport, Script script)
      : loop_(loop), script_(std::move(script)) {
    listener_ = transport.Listen("127.0.0.1:0", *this).value();
  }
  FakeEtcd(const FakeEtcd&) = delete;
  FakeEtcd& operator=(const FakeEtcd&) = delete;
  ~FakeEtcd() {
    listener_.reset();
    internal::Parker released;
    loop_.Post([&] {
      for (const auto& call : calls_) call->stream.reset();
      released.Signal();
    });
    released.Wait();
  }

  std::string address() const { return listener_->address(); }

  /// How many are open.
  std::size_t connections() const { return listener_->connections(); }

  /// What came so far, of `method`.
  std::vector<Heard> heard(const std::string& method) const {
    const std::scoped_lock lock(mutex_);
    std::vector<Heard> some;
    std::ranges::copy_if(heard_, std::back_inserter(some),
                         [&](const Heard& one) { return one.method == method; });
    return some;
  }
  std::size_t count(const std::string& method) const { return heard(method).size(); }

  /// Does the same on the last stream of `method`, unasked.
  void React(const std::string& method, Reaction reaction) {
    std::shared_ptr<Call> last;
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& call : calls_) {
        if (call->method == method) last = call;
      }
    }
    ASSERT_TRUE(last) << method;
    loop_.Post([last, reaction = std::move(reaction)]() mutable { last->Do(std::move(reaction)); });
  }

 private:
  struct Call final : transport::Waiter, std::enable_shared_from_this<Call> {
    Call(FakeEtcd& owner, transport::ServerStreamPtr opened)
        : fake(owner), stream(std::move(opened)) {
      method = stream->head().path.substr(std::string("/etcdserverpb.").size());
      token = stream->head().metadata.Get("token").value_or("");
    }
    void Wake() override {
      const auto self = shared_from_this();
      std::string message;
      while (stream && stream->TryRead(message) == transport::Read::kMessage) {
        Do(fake.React({.method = method, .token = token, .message = message}));
      }
      if (stream && !stream->ended()) stream->WaitReadable(*this);
    }
    void Do(Reaction reaction) {
      if (!stream) return;
      for (std::string& message : reaction.messages) stream->Write(message);
      if (!reaction.end) return;
      stream->Finish(*reaction.end, {});
      stream.reset();
    }

    FakeEtcd& fake;
    transport::ServerStreamPtr stream;
    std::string method;
    std::string token;
  };

  void Accept(transport::ServerStreamPtr stream) override {
    const auto call = std::make_shared<Call>(*this, std::move(stream));
    {
      const std::scoped_lock lock(mutex_);
      calls_.push_back(call);
    }
    call->Wake();
  }
  void OnRefused(const std::string& /*where*/, const std::string& /*why*/) override {}

  Reaction React(const Heard& heard) {
    {
      const std::scoped_lock lock(mutex_);
      heard_.push_back(heard);
    }
    return script_(heard);
  }

  EventLoop& loop_;
  const Script script_;
  mutable std::mutex mutex_;
  std::vector<Heard> heard_;
  std::vector<std::shared_ptr<Call>> calls_;
  std::unique_ptr<transport::Listener> listener_;
};

}  // namespace micro::etcd::testing
