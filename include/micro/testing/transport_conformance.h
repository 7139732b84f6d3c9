#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "micro/runtime.h"
#include "micro/transport.h"

/// What every transport has to do, as tests. For a transport of one's own:
///
///     struct MyTransports {
///       std::shared_ptr<micro::Transport> Make(const micro::TransportConfig& config);
///       std::string address();  // to listen on, any port: "127.0.0.1:0"
///     };
///     INSTANTIATE_TYPED_TEST_SUITE_P(Mine, TransportConformance, MyTransports);
///
/// in namespace micro::testing. A MyTransports lives as long as one test, and is made once for both
/// ends.
namespace micro::testing {

inline constexpr std::chrono::seconds kTransportPatience{20};

/// Resumes a coroutine when a stream wakes it.
class StreamWait final : public transport::Waiter {
 public:
  /// `arm` asks the stream to wake this.
  explicit StreamWait(std::function<void(transport::Waiter&)> arm) : arm_(std::move(arm)) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    arm_(*this);
  }
  void await_resume() const {}
  void Wake() override { waiting_.resume(); }

 private:
  std::function<void(transport::Waiter&)> arm_;
  std::coroutine_handle<> waiting_;
};

/// The next message of a stream; nothing at its end.
inline Task<std::optional<std::string>> ReadMessage(transport::Stream& stream) {
  std::string message;
  while (true) {
    const transport::Read read = stream.TryRead(message);
    if (read == transport::Read::kMessage) co_return message;
    if (read == transport::Read::kEnd) co_return std::nullopt;
    StreamWait readable([&](transport::Waiter& waiter) { stream.WaitReadable(waiter); });
    co_await readable;
  }
}

inline void WriteMessage(transport::Stream& stream, std::string_view message) {
  std::string frame(transport::kHeadroom, '\0');
  frame += message;
  stream.Write(frame);
}

/// How a call went, as its caller saw it.
struct CallOutcome {
  std::vector<std::string> messages;
  Status status;
  Metadata metadata;
  Metadata trailers;
};

inline Task<CallOutcome> ReadOutcome(transport::ClientStream& stream) {
  CallOutcome outcome;
  while (auto message = co_await ReadMessage(stream)) outcome.messages.push_back(*message);
  outcome.status = stream.status();
  outcome.metadata = stream.metadata();
  outcome.trailers = stream.trailers();
  co_return outcome;
}

inline Task<Status> ReadStatus(transport::ClientStream& stream) {
  CallOutcome outcome = co_await ReadOutcome(stream);
  co_return outcome.status;
}

/// Serves every call that comes in with one coroutine, and waits for those under way at its end.
class CoroutineAcceptor final : public transport::Acceptor {
 public:
  using Serve = std::function<Task<void>(transport::ServerStream&)>;

  explicit CoroutineAcceptor(Serve serve) : serve_(std::move(serve)) {}
  CoroutineAcceptor(const CoroutineAcceptor&) = delete;
  CoroutineAcceptor& operator=(const CoroutineAcceptor&) = delete;
  ~CoroutineAcceptor() {
    EXPECT_TRUE(WaitFor([this] { return under_way_ == 0; }));
  }

  void Accept(transport::ServerStreamPtr stream) override {
    Count(1);
    internal::RunDetached(Run(std::move(stream)));
  }
  void OnRefused(const std::string& /*where*/, const std::string& /*why*/) override {}

  /// Waits until `count` calls have come in.
  bool WaitForCalls(int count) {
    return WaitFor([this, count] { return accepted_ >= count; });
  }

 private:
  Task<void> Run(transport::ServerStreamPtr stream) {
    co_await serve_(*stream);
    stream.reset();
    Count(-1);
  }

  void Count(int change) {
    const std::lock_guard lock(mutex_);
    under_way_ += change;
    accepted_ += change > 0 ? 1 : 0;
    changed_.notify_all();
  }

  template <typename Condition>
  bool WaitFor(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTransportPatience, condition);
  }

  Serve serve_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int under_way_ = 0;
  int accepted_ = 0;
};

/// Sends back every message, then ends the call.
inline Task<void> ServeEcho(transport::ServerStream& stream) {
  while (auto message = co_await ReadMessage(stream)) WriteMessage(stream, *message);
  stream.Finish(Ok(), {});
}

template <typename Transports>
class TransportConformance : public ::testing::Test {
 protected:
  static constexpr std::size_t kLimit = std::size_t{1} << 20;

  struct Served {
    std::unique_ptr<CoroutineAcceptor> acceptor;
    std::unique_ptr<transport::Listener> listener;
    std::string address;
  };

  Served Listen(CoroutineAcceptor::Serve serve) {
    Served served{.acceptor = std::make_unique<CoroutineAcceptor>(std::move(serve)),
                  .listener = nullptr,
                  .address = ""};
    auto listener = transport_->Listen(transports_.address(), *served.acceptor);
    EXPECT_TRUE(listener);
    served.listener = *std::move(listener);
    served.address = served.listener->address();
    return served;
  }

  static transport::CallHead Head() {
    return {.path = "/test.Test/Call",
            .content_type = "application/grpc+proto",
            .authority = "test",
            .metadata = {},
            .deadline = {}};
  }

  using Caller = std::function<Task<void>(transport::Connection&)>;

  // Dials `address` and runs `call` with the connection, on a loop.
  Status Call(const std::string& address, Caller call) {
    return Await(runtime_.loop(0), Dialled(address, std::move(call)));
  }

  Task<Status> Dialled(std::string address, Caller call) {
    auto connection = co_await transport_->Dial(address, kTransportPatience);
    if (!connection) co_return Failure(connection.error());
    EXPECT_TRUE((*connection)->usable());
    co_await call(**connection);
    co_return Ok();
  }

  // Sends `messages` and collects the answer.
  CallOutcome Exchange(const std::string& address, const std::vector<std::string>& messages,
                       const transport::CallHead& head = Head()) {
    CallOutcome outcome;
    EXPECT_TRUE(Call(address, [&](transport::Connection& connection) -> Task<void> {
      const auto stream = connection.Open(head);
      for (const std::string& message : messages) WriteMessage(*stream, message);
      stream->CloseSend();
      outcome = co_await ReadOutcome(*stream);
    }));
    return outcome;
  }

  Transports transports_;
  Runtime runtime_{{.loops = 2}};
  std::shared_ptr<Transport> transport_ =
      transports_.Make({.runtime = &runtime_, .limits = {.max_message = kLimit}});
};

TYPED_TEST_SUITE_P(TransportConformance);

TYPED_TEST_P(TransportConformance, AUnaryCallIsAMessageEachWay) {
  transport::CallHead head;
  std::string peer;
  const auto served = this->Listen([&](transport::ServerStream& stream) -> Task<void> {
    head = stream.head();
    peer = stream.peer();
    co_await ServeEcho(stream);
  });
  const CallOutcome outcome = this->Exchange(served.address, {"hello"});
  EXPECT_TRUE(outcome.status);
  EXPECT_EQ(outcome.messages, std::vector<std::string>{"hello"});
  EXPECT_EQ(head.path, "/test.Test/Call");
  EXPECT_EQ(head.content_type, "application/grpc+proto");
  EXPECT_FALSE(peer.empty());
}

TYPED_TEST_P(TransportConformance, MetadataTravelsBothWays) {
  Metadata came;
  const std::string raw("\0\xff\n", 3);
  const auto served = this->Listen([&](transport::ServerStream& stream) -> Task<void> {
    came = stream.head().metadata;
    co_await ReadMessage(stream);
    stream.SetMetadata({{"x-ahead", "1"}, {"x-ahead-bin", raw}});
    WriteMessage(stream, "");
    stream.Finish(Ok(), {{"x-behind", "2"}, {"x-behind-bin", raw}});
  });
  transport::CallHead head = this->Head();
  head.metadata = {{"x-user", "ann"}, {"x-list", "1"}, {"x-list", "2"}, {"x-raw-bin", raw}};
  const CallOutcome outcome = this->Exchange(served.address, {""}, head);
  ASSERT_TRUE(outcome.status);
  EXPECT_EQ(came.Get("x-user"), "ann");
  EXPECT_EQ(came.GetAll("x-list"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(came.Get("x-raw-bin"), raw);
  EXPECT_EQ(outcome.metadata.Get("x-ahead"), "1");
  EXPECT_EQ(outcome.metadata.Get("x-ahead-bin"), raw);
  EXPECT_EQ(outcome.trailers.Get("x-behind"), "2");
  EXPECT_EQ(outcome.trailers.Get("x-behind-bin"), raw);
}

TYPED_TEST_P(TransportConformance, AnErrorArrivesWithItsIdAndItsMetadata) {
  const auto served = this->Listen([](transport::ServerStream& stream) -> Task<void> {
    co_await ReadMessage(stream);
    stream.SetMetadata({{"x-ahead", "1"}});
    stream.Finish(Fails(Error(Code::kNotFound, "no \"\xc3\xbc\" 100%").set_id("a.service")),
                  {{"x-behind", "2"}});
  });
  const CallOutcome outcome = this->Exchange(served.address, {"x"});
  EXPECT_TRUE(outcome.messages.empty());
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().code(), Code::kNotFound);
  EXPECT_EQ(outcome.status.error().detail(), "no \"\xc3\xbc\" 100%");
  EXPECT_EQ(outcome.status.error().id(), "a.service");
  EXPECT_EQ(outcome.status.error().phase(), Phase::kRemote);
  EXPECT_EQ(outcome.metadata.Get("x-ahead"), "1");
  EXPECT_EQ(outcome.trailers.Get("x-behind"), "2");
}

TYPED_TEST_P(TransportConformance, AnErrorMayFollowMessages) {
  const auto served = this->Listen([](transport::ServerStream& stream) -> Task<void> {
    WriteMessage(stream, "one");
    WriteMessage(stream, "two");
    stream.Finish(Aborted("then this"), {});
    co_return;
  });
  const CallOutcome outcome = this->Exchange(served.address, {});
  EXPECT_EQ(outcome.messages, (std::vector<std::string>{"one", "two"}));
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().code(), Code::kAborted);
}

TYPED_TEST_P(TransportConformance, TheDeadlineTravels) {
  std::optional<TimePoint> came;
  const auto served = this->Listen([&](transport::ServerStream& stream) -> Task<void> {
    came = stream.head().deadline;
    co_await ServeEcho(stream);
  });
  transport::CallHead head = this->Head();
  this->Exchange(served.address, {"x"}, head);
  EXPECT_FALSE(came);
  head.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  this->Exchange(served.address, {"x"}, head);
  ASSERT_TRUE(came);
  EXPECT_LT(*came - *head.deadline, kTransportPatience);
  EXPECT_LT(*head.deadline - *came, kTransportPatience);
}

TYPED_TEST_P(TransportConformance, MessagesComeInOrderAndWhole) {
  const auto served = this->Listen(ServeEcho);
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < 200; ++i) messages.emplace_back(i * 37 % 2000, 'a' + i % 26);
  const CallOutcome outcome = this->Exchange(served.address, messages);
  EXPECT_TRUE(outcome.status);
  EXPECT_EQ(outcome.messages, messages);
}

TYPED_TEST_P(TransportConformance, MessagesAsLargeAsTheLimitPass) {
  const auto served = this->Listen(ServeEcho);
  const std::vector<std::string> messages(5, std::string(this->kLimit, 'x'));
  const CallOutcome outcome = this->Exchange(served.address, messages);
  EXPECT_TRUE(outcome.status);
  EXPECT_TRUE(outcome.messages == messages);
}

TYPED_TEST_P(TransportConformance, AMessageOverTheLimitEndsTheCallAndNoOther) {
  const auto served = this->Listen(ServeEcho);
  const CallOutcome outcome = this->Exchange(served.address, {std::string(this->kLimit + 1, 'x')});
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(this->Exchange(served.address, {"x"}).status);
}

TYPED_TEST_P(TransportConformance, AnAnswerOverTheLimitIsRefusedByTheCaller) {
  const auto served = this->Listen([&](transport::ServerStream& stream) -> Task<void> {
    WriteMessage(stream, std::string(this->kLimit + 1, 'x'));
    stream.Finish(Ok(), {});
    co_return;
  });
  const CallOutcome outcome = this->Exchange(served.address, {});
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().code(), Code::kResourceExhausted);
}

TYPED_TEST_P(TransportConformance, BothSidesMayTakeTurns) {
  const auto served = this->Listen(ServeEcho);
  std::string answers;
  EXPECT_TRUE(this->Call(served.address, [&](transport::Connection& connection) -> Task<void> {
    const auto stream = connection.Open(TestFixture::Head());
    for (int i = 0; i < 20; ++i) {
      WriteMessage(*stream, std::to_string(i));
      answers += *co_await ReadMessage(*stream) + " ";
    }
    stream->CloseSend();
    EXPECT_EQ(co_await ReadMessage(*stream), std::nullopt);
    EXPECT_TRUE(stream->status());
  }));
  EXPECT_EQ(answers, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
}

TYPED_TEST_P(TransportConformance, CallsOfOneConnectionRunSideBySide) {
  const auto served = this->Listen(ServeEcho);
  EXPECT_TRUE(this->Call(served.address, [&](transport::Connection& connection) -> Task<void> {
    std::vector<transport::ClientStreamPtr> streams;
    for (int i = 0; i < 50; ++i) {
      streams.push_back(connection.Open(TestFixture::Head()));
      WriteMessage(*streams.back(), std::to_string(i));
    }
    for (int i = 49; i >= 0; --i) {
      EXPECT_EQ(co_await ReadMessage(*streams[i]), std::to_string(i));
      streams[i]->CloseSend();
      EXPECT_TRUE(co_await ReadStatus(*streams[i]));
    }
  }));
}

// Waits for the caller to go away.
inline Task<void> ServeUntilClosed(transport::ServerStream& stream) {
  StreamWait closed([&](transport::Waiter& waiter) { stream.WaitClosed(waiter); });
  co_await closed;
}

TYPED_TEST_P(TransportConformance, AResetIsSeenByTheServer) {
  const auto served = this->Listen(ServeUntilClosed);
  EXPECT_TRUE(this->Call(served.address, [&](transport::Connection& connection) -> Task<void> {
    const auto stream = connection.Open(TestFixture::Head());
    WriteMessage(*stream, "x");
    stream->Reset(Code::kCancelled);
    EXPECT_FALSE(co_await ReadStatus(*stream));
  }));
}

TYPED_TEST_P(TransportConformance, ACallThatIsGivenBackEarlyIsSeenByTheServer) {
  const auto served = this->Listen(ServeUntilClosed);
  EXPECT_TRUE(this->Call(served.address, [&](transport::Connection& connection) -> Task<void> {
    for (int i = 0; i < 10; ++i) WriteMessage(*connection.Open(TestFixture::Head()), "x");
    co_return;
  }));
}

TYPED_TEST_P(TransportConformance, ACallThatTheServerDropsEndsWithAnError) {
  const auto served =
      this->Listen([](transport::ServerStream& /*stream*/) -> Task<void> { co_return; });
  const CallOutcome outcome = this->Exchange(served.address, {"x"});
  ASSERT_FALSE(outcome.status);
  EXPECT_NE(outcome.status.error().phase(), Phase::kRemote);
}

TYPED_TEST_P(TransportConformance, AnAddressWithoutAListenerIsUnavailable) {
  auto served = this->Listen(ServeEcho);
  served.listener.reset();
  const Status status = this->Call(
      served.address, [](transport::Connection& /*connection*/) -> Task<void> { co_return; });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kUnavailable);
  EXPECT_EQ(status.error().phase(), Phase::kConnect);
  EXPECT_NE(status.error().detail().find(served.address), std::string::npos);
}

TYPED_TEST_P(TransportConformance, AnAddressInUseIsAFailedPrecondition) {
  const auto served = this->Listen(ServeEcho);
  CoroutineAcceptor other(ServeEcho);
  const auto listener = this->transport_->Listen(served.address, other);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(listener.error().phase(), Phase::kConfigure);
}

TYPED_TEST_P(TransportConformance, ADrainedListenerEndsItsCallsAndTakesNoMore) {
  const auto served = this->Listen(ServeEcho);
  EXPECT_TRUE(this->Call(served.address, [&](transport::Connection& connection) -> Task<void> {
    const auto stream = connection.Open(TestFixture::Head());
    WriteMessage(*stream, "before");
    EXPECT_EQ(co_await ReadMessage(*stream), "before");
    EXPECT_TRUE(co_await Offload(this->runtime_, [&] { served.listener->Drain(); }));
    while (connection.usable()) co_await Sleep(std::chrono::milliseconds(1));
    WriteMessage(*stream, "after");
    EXPECT_EQ(co_await ReadMessage(*stream), "after");
    stream->CloseSend();
    EXPECT_TRUE(co_await ReadStatus(*stream));
  }));
  EXPECT_FALSE(this->Call(served.address, [](auto&) -> Task<void> { co_return; }));
}

TYPED_TEST_P(TransportConformance, AListenerThatIsGoneEndsItsCalls) {
  auto served = this->Listen(ServeUntilClosed);
  EXPECT_TRUE(this->Call(served.address, [&](transport::Connection& connection) -> Task<void> {
    const auto stream = connection.Open(TestFixture::Head());
    WriteMessage(*stream, "x");
    EXPECT_TRUE(co_await Offload(this->runtime_, [&] {
      EXPECT_TRUE(served.acceptor->WaitForCalls(1));
      served.listener.reset();
    }));
    const Status status = co_await ReadStatus(*stream);
    EXPECT_EQ(status ? Code::kOk : status.error().code(), Code::kUnavailable);
  }));
}

REGISTER_TYPED_TEST_SUITE_P(
    TransportConformance, AUnaryCallIsAMessageEachWay, MetadataTravelsBothWays,
    AnErrorArrivesWithItsIdAndItsMetadata, AnErrorMayFollowMessages, TheDeadlineTravels,
    MessagesComeInOrderAndWhole, MessagesAsLargeAsTheLimitPass,
    AMessageOverTheLimitEndsTheCallAndNoOther, AnAnswerOverTheLimitIsRefusedByTheCaller,
    BothSidesMayTakeTurns, CallsOfOneConnectionRunSideBySide, AResetIsSeenByTheServer,
    ACallThatIsGivenBackEarlyIsSeenByTheServer, ACallThatTheServerDropsEndsWithAnError,
    AnAddressWithoutAListenerIsUnavailable, AnAddressInUseIsAFailedPrecondition,
    ADrainedListenerEndsItsCallsAndTakesNoMore, AListenerThatIsGoneEndsItsCalls);

}  // namespace micro::testing
