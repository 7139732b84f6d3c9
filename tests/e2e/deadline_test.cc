#include <thread>

#include "fleet.h"

namespace micro::e2e {
namespace {

class DeadlineTest : public FleetTest {
 protected:
  // Handlers that wait until they are cancelled, and count those that were.
  std::shared_ptr<Handler> UntilCancelled() {
    return Async([this](Context& context, Request) -> Task<Reply> {
      ++entered_;
      while (!context.cancelled()) co_await Sleep(1ms);
      ++cancelled_;
      co_return Text("too late");
    });
  }

  std::atomic<int> entered_ = 0;
  std::atomic<int> cancelled_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Transports, DeadlineTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(DeadlineTest, EndsACallAndCancelsItsHandler) {
  Serve(UntilCancelled());
  const Error error = CallFails({}, {.timeout = 50ms});
  EXPECT_EQ(error.code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(Eventually([&] { return cancelled_ == 1; }));
}

TEST_P(DeadlineTest, SaysThatItWasTheCallsOwn) {
  const Gate gate;
  Serve(Blocking([gate](Context&, const Request&) -> Reply {
    gate.Wait();
    return Response();
  }));
  const Error error = CallFails({}, {.timeout = 20ms});
  gate.Open();
  EXPECT_EQ(error.code(), Code::kDeadlineExceeded);
  EXPECT_NE(error.detail().find("deadline"), std::string::npos) << error.ToString();
}

TEST_P(DeadlineTest, TheServiceSeesIt) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    return Text(context.remaining() > 59s && context.remaining() <= 60s ? "yes" : "no");
  }));
  EXPECT_EQ(Call({}, {.timeout = 60s})->text(), "yes");
}

TEST_P(DeadlineTest, TheDefaultIsAnOption) {
  caller_options_.client_request_timeout = 30ms;
  Serve(UntilCancelled());
  EXPECT_EQ(CallFails({}).code(), Code::kDeadlineExceeded);
}

TEST_P(DeadlineTest, WithoutTimeLeftNothingIsSent) {
  Serve(UntilCancelled());
  Call({}, {.timeout = 1ns});
  EXPECT_EQ(CallFails({}, {.timeout = 1ns}).code(), Code::kDeadlineExceeded);
  EXPECT_EQ(entered_, 0);
}

// A handler that blocks on beyond the caller's patience must not keep the answer.
TEST_P(DeadlineTest, TheServiceAnswersWithoutItsHandler) {
  const Gate gate;
  Serve(Blocking([gate](Context& context, const Request&) -> Reply {
    gate.Wait();
    context.response_metadata().Add("x-late", "1");
    return Response();
  }));
  EXPECT_EQ(CallFails({}, {.timeout = 20ms}).code(), Code::kDeadlineExceeded);
  gate.Open();
}

class ParentTest : public DeadlineTest {
 protected:
  // "front" hands calls on to "test" as part of the call that it serves.
  void ServeFront() {
    Service& front = Make(Options("front"));
    front.Handle(Async([&](Context& context, Request request) -> Task<Reply> {
      const testee::TestClient test("test", front.client());
      Reply reply =
          co_await test.CallAsync(std::move(request), {.timeout = 60s, .parent = &context});
      const std::lock_guard lock(mutex_);
      inner_ = reply ? Code::kOk : reply.error().code();
      co_return reply;
    }));
    ASSERT_TRUE(front.Start());
  }

  Reply CallFront(CallOptions options) {
    return testee::TestClient("front", caller().client()).Call({}, std::move(options));
  }

  std::optional<Code> inner() {
    const std::lock_guard lock(mutex_);
    return inner_;
  }

  std::mutex mutex_;
  std::optional<Code> inner_;
};
INSTANTIATE_TEST_SUITE_P(Transports, ParentTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(ParentTest, ItsDeadlineEndsTheInnerCall) {
  Serve(UntilCancelled());
  ServeFront();
  const Reply reply = CallFront({.timeout = 50ms});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(Eventually([&] { return cancelled_ == 1 && inner().has_value(); }));
}

TEST_P(ParentTest, ItsEndEndsTheInnerCall) {
  Serve(UntilCancelled());
  ServeFront();
  auto brief = std::make_unique<Service>(Options("brief"));
  std::jthread calling([&] {
    const testee::TestClient front("front", brief->client());
    EXPECT_FALSE(front.Call({}, {.timeout = 60s}));
  });
  ASSERT_TRUE(Eventually([&] { return entered_ == 1; }));
  brief.reset();  // the caller goes away
  EXPECT_TRUE(Eventually([&] { return cancelled_ == 1; }));
  EXPECT_TRUE(Eventually([&] { return inner() == Code::kCancelled; }));
}

}  // namespace
}  // namespace micro::e2e
