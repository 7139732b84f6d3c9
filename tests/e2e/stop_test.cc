#include <atomic>
#include <stop_token>
#include <thread>

#include "fleet.h"

namespace micro::e2e {
namespace {

class StopTest : public FleetTest {
 protected:
  // A call from a thread of its own; the reply comes with Join.
  struct Calling {
    Calling(testee::TestClient client, CallOptions options)
        : thread([this, client = std::move(client), options = std::move(options)] {
            reply = client.Call({}, options);
          }) {}
    Reply Join() {
      thread.join();
      return reply;
    }
    Reply reply;
    std::thread thread;
  };

  std::unique_ptr<Calling> StartCall(CallOptions options = {.timeout = 60s}) {
    caller();
    return std::make_unique<Calling>(test(), std::move(options));
  }

  // Threads that call all the while.
  class Callers {
   public:
    explicit Callers(std::function<Reply()> call) : call_(std::move(call)) {
      for (int i = 0; i < 4; ++i) {
        threads_.emplace_back([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) Call();
        });
      }
    }
    int calls() const { return calls_; }
    // Ends them: what the calls that failed said.
    std::vector<std::string> Stop() {
      threads_.clear();
      return failures_;
    }

   private:
    void Call() {
      const Reply reply = call_();
      ++calls_;
      if (reply) return;
      const std::lock_guard lock(mutex_);
      failures_.push_back(reply.error().ToString());
    }

    const std::function<Reply()> call_;
    std::atomic<int> calls_ = 0;
    std::mutex mutex_;
    std::vector<std::string> failures_;
    std::vector<std::jthread> threads_;
  };
};
INSTANTIATE_TEST_SUITE_P(Transports, StopTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(StopTest, ACallUnderWayEndsInPeace) {
  const Gate entered;
  const Gate gate;
  Service& service = Serve(Blocking([entered, gate](Context&, const Request&) -> Reply {
    entered.Open();
    gate.Wait();
    return Text("in peace");
  }));
  const auto calling = StartCall();
  ASSERT_TRUE(entered.Wait());
  std::jthread stopping([&] { service.Stop(); });
  ASSERT_TRUE(Eventually([&] { return !caller().registry().GetService("test"); }));
  gate.Open();
  const Reply reply = calling->Join();
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->text(), "in peace");
}

TEST_P(StopTest, NewCallsFindNobody) {
  Service& service = Serve(Blocking(Echo));
  ASSERT_TRUE(Call({}));
  const std::string address = service.address();
  service.Stop();
  EXPECT_TRUE(Eventually([&] {
    const Reply reply = Call({});
    return !reply && reply.error().phase() == Phase::kResolve;
  }));
  EXPECT_EQ(CallFails({}, {.addresses = {&address, 1}}).phase(), Phase::kConnect);
}

// Three nodes are replaced one by one while others call: every call is answered.
TEST_P(StopTest, ARollingRestartLosesNoCall) {
  const auto serve = [this] {
    return &Serve(Async([](Context& context, Request request) -> Task<Reply> {
      co_await Sleep(2ms);
      co_return Echo(context, request);
    }));
  };
  std::vector<Service*> nodes = {serve(), serve(), serve()};
  ASSERT_TRUE(Call({}));
  Callers callers([this] { return test().Call({}, {.timeout = 30s, .retries = 3}); });
  for (Service*& node : nodes) {
    Service* const next = serve();
    const int before = callers.calls();
    ASSERT_TRUE(Eventually([&] { return callers.calls() > before + 50; }));
    node->Stop();
    node = next;
  }
  EXPECT_THAT(callers.Stop(), ::testing::IsEmpty());
  EXPECT_GT(callers.calls(), 150);
}

TEST_P(StopTest, AnotherNodeTakesOverWithoutAFailedCall) {
  Service& first = Serve(Blocking(Echo));
  ASSERT_TRUE(Call({}));
  Callers callers([this] { return test().Call({}); });
  Serve(Blocking(Echo));
  ASSERT_TRUE(Eventually([&] { return callers.calls() > 100; }));
  Stop(first);
  const int before = callers.calls();
  EXPECT_TRUE(Eventually([&] { return callers.calls() > before + 100; }));
  EXPECT_THAT(callers.Stop(), ::testing::IsEmpty());
}

TEST_P(StopTest, AStuckCoroutineIsCancelledWhenTheGraceIsOver) {
  ServiceOptions options = Options();
  options.drain_timeout = 20ms;
  const Gate entered;
  std::atomic<bool> cancelled = false;
  Service& service = Serve(Async([&](Context& context, Request) -> Task<Reply> {
                             entered.Open();
                             while (!context.cancelled()) co_await Sleep(1ms);
                             cancelled = true;
                             co_return Response();
                           }),
                           std::move(options));
  const auto calling = StartCall();
  ASSERT_TRUE(entered.Wait());
  service.Stop();
  EXPECT_TRUE(cancelled);
  const Reply reply = calling->Join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kUnavailable);
}

TEST_P(StopTest, AServiceMayBeStoppedTwiceAndWithoutCalls) {
  Service& service = Serve(Blocking(Echo));
  service.Stop();
  service.Stop();
  EXPECT_EQ(service.address(), "");
}

TEST_P(StopTest, AStoppedServiceMayStartAgain) {
  Service& service = Serve(Blocking(Echo));
  service.Stop();
  const Status started = service.Start();
  ASSERT_TRUE(started) << started.error().ToString();
  EXPECT_TRUE(Eventually([&] { return Call({}).has_value(); }));
}

TEST_P(StopTest, StartingTwiceIsAFailedPrecondition) {
  Service& service = Serve(Blocking(Echo));
  const Status again = service.Start();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kFailedPrecondition);
}

TEST_P(StopTest, ACallerMayGoWhileItsCallsAreUnderWay) {
  const Gate entered;
  const Gate gate;
  Serve(Blocking([entered, gate](Context&, const Request&) -> Reply {
    entered.Open();
    gate.Wait();
    return Response();
  }));
  const auto calling = StartCall();
  ASSERT_TRUE(entered.Wait());
  caller_.reset();
  const Reply reply = calling->Join();
  EXPECT_FALSE(reply);
  gate.Open();
}

}  // namespace
}  // namespace micro::e2e
