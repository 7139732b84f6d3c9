#include <set>

#include "fleet.h"
#include "socket.h"

namespace micro::e2e {
namespace {

class BalanceTest : public FleetTest {
 protected:
  // Registers a node of "test" at an address, as if it served there.
  void Register(const std::string& id, const std::string& address) {
    const ServiceInfo service{
        .name = "test", .version = "latest", .nodes = {{.id = id, .address = address}}};
    ASSERT_TRUE(caller().registry().Register(service, {}));
  }

  std::string DeadAddress() { return transport_ == "grpc" ? port_.address() : "memory:60000"; }

  std::set<std::string> Answering(int calls) {
    std::set<std::string> nodes;
    for (int i = 0; i < calls; ++i) {
      CallInfo info;
      const Reply reply = Call({}, {.info = &info});
      nodes.insert(reply ? info.node.address : reply.error().ToString());
    }
    return nodes;
  }

  DeadPort port_;
};
INSTANTIATE_TEST_SUITE_P(Transports, BalanceTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(BalanceTest, AServiceNobodyServesIsNotFound) {
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_EQ(error.phase(), Phase::kResolve);
  EXPECT_EQ(error.attempts(), 0);
  EXPECT_NE(error.detail().find("test"), std::string::npos);
}

TEST_P(BalanceTest, AServiceThatComesLaterIsFound) {
  CallFails({});
  Serve(Blocking(Echo));
  EXPECT_TRUE(Eventually([&] { return Call({}).has_value(); }));
}

TEST_P(BalanceTest, RoundRobinTakesTurns) {
  caller_options_.selector = "round_robin";
  Serve(Blocking(Echo));
  Serve(Blocking(Echo));
  std::vector<std::string> order;
  for (int i = 0; i < 6; ++i) {
    CallInfo info;
    ASSERT_TRUE(Call({}, {.info = &info}));
    order.push_back(info.node.address);
  }
  for (std::size_t i = 2; i < order.size(); ++i) EXPECT_EQ(order[i], order[i - 2]);
  EXPECT_NE(order[0], order[1]);
}

TEST_P(BalanceTest, WhateverTheSelectorAllAreReached) {
  for (int i = 0; i < 3; ++i) Serve(Blocking(Echo));
  for (const char* selector : {"least_loaded", "p2c", "random", "round_robin"}) {
    caller_options_.selector = selector;
    caller_.reset();
    EXPECT_EQ(Answering(200).size(), 3U) << selector;
  }
}

TEST_P(BalanceTest, CallsAboutTheSameGoToTheSameNode) {
  caller_options_.selector = "consistent_hash";
  for (int i = 0; i < 3; ++i) Serve(Blocking(Echo));
  std::set<std::string> all;
  for (int user = 0; user < 60; ++user) {
    std::set<std::string> nodes;
    for (int call = 0; call < 3; ++call) {
      CallInfo info;
      EXPECT_TRUE(Call({}, {.key = user, .info = &info}));
      nodes.insert(info.node.address);
    }
    EXPECT_EQ(nodes.size(), 1U) << user;
    all.merge(nodes);
  }
  EXPECT_EQ(all.size(), 3U);
}

TEST_P(BalanceTest, ASlowNodeGetsFewerCalls) {
  const Gate gate;
  std::atomic<int> slow = 0;
  Serve(Blocking([&, gate](Context&, const Request&) -> Reply {
    ++slow;
    gate.Wait();
    return Response();
  }));
  Serve(Blocking(Echo));
  std::atomic<std::size_t> answered = 0;
  std::vector<std::jthread> calling;
  ASSERT_TRUE(Eventually([&] {
    if (slow == 0 && answered == calling.size()) {
      calling.emplace_back([&] {
        EXPECT_TRUE(Call({}, {.timeout = 60s}));
        ++answered;
      });
    }
    return slow == 1;
  }));
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Call({}));
  EXPECT_EQ(slow, 1);
  gate.Open();
}

TEST_P(BalanceTest, ANewNodeIsUsed) {
  Serve(Blocking(Echo));
  EXPECT_EQ(Answering(5).size(), 1U);
  Serve(Blocking(Echo));
  EXPECT_TRUE(Eventually([&] { return Answering(20).size() == 2; }));
}

TEST_P(BalanceTest, ADeadNodeIsPassedOverForAnother) {
  caller_options_.selector = "round_robin";
  Register("dead", DeadAddress());
  Service& alive = Serve(Blocking(Echo));
  int attempts = 0;
  for (int i = 0; i < 4; ++i) {
    CallInfo info;
    const Reply reply = Call({}, {.info = &info});
    ASSERT_TRUE(reply) << reply.error().ToString();
    EXPECT_EQ(info.node.address, alive.address());
    attempts = std::max(attempts, info.attempts);
  }
  EXPECT_EQ(attempts, 2);
}

TEST_P(BalanceTest, WithoutRetriesADeadNodeIsAnError) {
  caller_options_.client_retries = 0;
  caller_options_.selector = "round_robin";
  Register("dead", DeadAddress());
  Serve(Blocking(Echo));
  int failed = 0;
  for (int i = 0; i < 4; ++i) {
    const Reply reply = Call({});
    if (reply) continue;
    ++failed;
    EXPECT_EQ(reply.error().attempts(), 1);
    EXPECT_EQ(reply.error().phase(), Phase::kConnect);
  }
  EXPECT_GE(failed, 1);
  EXPECT_LE(failed, 2);  // it rests by then, unless this machine is slow
}

TEST_P(BalanceTest, WhenAllAreDeadTheErrorSaysWhere) {
  Register("dead", DeadAddress());
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.phase(), Phase::kConnect);
  EXPECT_EQ(error.node(), "dead at " + DeadAddress());
  EXPECT_EQ(error.attempts(), 1);
}

TEST_P(BalanceTest, GivenAddressesNeedNoRegistry) {
  Service& service = Serve(Blocking(Echo));
  const testee::TestClient anyone("nobody.of.that.name", caller().client());
  CallInfo info;
  const std::vector<std::string> addresses = {DeadAddress(), service.address()};
  const Reply reply = anyone.Call({}, {.addresses = addresses, .info = &info});
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(info.node.address, service.address());
}

TEST_P(BalanceTest, AnAnswerThatIsAnErrorIsNotRepeated) {
  std::atomic<int> served = 0;
  Serve(Blocking([&](Context&, const Request&) -> Reply {
    ++served;
    return Internal("no");
  }));
  const auto error = test().Look({}, {.retries = 5}).error();
  EXPECT_EQ(error.code(), Code::kInternal);
  EXPECT_EQ(served, 1);
}

class BrokenNodeTest : public GrpcFleetTest {
 protected:
  // Answers Unavailable once, then serves.
  std::shared_ptr<Handler> UnavailableOnce() {
    return Blocking([this](Context&, const Request&) -> Reply {
      if (served_++ == 0) return Unavailable("not now");
      return Response();
    });
  }

  // One loop, so that its calls to an address share a dial; a dial that is brief.
  ServiceOptions BriefDials(const std::string& name) {
    ServiceOptions options = Options(name);
    options.loops = 1;
    options.client_dial_timeout = 300ms;
    return options;
  }

  // A dial under way would outlive the test: this joins it.
  static void WaitForDial(Service& service, const std::string& address) {
    const testee::TestClient client("test", service.client());
    const Reply reply = client.Call({}, {.timeout = 60s, .addresses = {&address, 1}});
    EXPECT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), Code::kUnavailable);
  }

  std::atomic<int> served_ = 0;
};

TEST_F(BrokenNodeTest, WhatMayHaveBeenDoneIsNotRepeated) {
  const auto handler = UnavailableOnce();
  Serve(handler);
  Serve(handler);
  EXPECT_EQ(CallFails({}).code(), Code::kUnavailable);
  EXPECT_EQ(served_, 1);
}

TEST_F(BrokenNodeTest, WhatDoesNoHarmIsRepeatedElsewhere) {
  const auto handler = UnavailableOnce();
  Serve(handler);
  Serve(handler);
  CallInfo info;
  EXPECT_TRUE(test().Look({}, {.info = &info}));
  EXPECT_EQ(info.attempts, 2);
  EXPECT_EQ(served_, 2);
}

TEST_F(BrokenNodeTest, ANodeThatNeverAcceptsCostsTheDialTimeoutOnly) {
  caller_options_.client_dial_timeout = 30ms;
  const FullPort full;
  const std::vector<std::string> addresses = {full.address()};
  const Error error = CallFails({}, {.addresses = addresses});
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.phase(), Phase::kConnect);
}

TEST_F(BrokenNodeTest, TheCallsDeadlineEndsADial) {
  caller_options_ = BriefDials("caller");
  const FullPort full;
  const std::vector<std::string> addresses = {full.address()};
  const Error error = CallFails({}, {.timeout = 30ms, .addresses = addresses});
  EXPECT_EQ(error.code(), Code::kDeadlineExceeded);
  EXPECT_EQ(error.phase(), Phase::kConnect);
  WaitForDial(caller(), full.address());
}

TEST_F(BrokenNodeTest, ACancelledParentEndsADialAsCancelled) {
  const FullPort full;
  Service& front = Make(BriefDials("front"));
  const Gate dialling;
  std::atomic<int> code = -1;
  front.Handle(Async([&](Context& context, Request) -> Task<Reply> {
    const testee::TestClient test("test", front.client());
    dialling.Open();
    const std::string address = full.address();
    const Reply reply = co_await test.CallAsync(
        Request(), {.timeout = 60s, .parent = &context, .addresses = {&address, 1}});
    code = static_cast<int>(reply ? Code::kOk : reply.error().code());
    co_return reply;
  }));
  ASSERT_TRUE(front.Start());
  auto brief = std::make_unique<Service>(Options("brief"));
  std::jthread calling([&] {
    const testee::TestClient client("front", brief->client());
    EXPECT_FALSE(client.Call({}, {.timeout = 60s}));
  });
  ASSERT_TRUE(dialling.Wait());
  brief.reset();
  EXPECT_TRUE(Eventually([&] { return code == static_cast<int>(Code::kCancelled); })) << code;
  WaitForDial(front, full.address());
}

TEST_F(BrokenNodeTest, AConnectionThatIsLostIsDialledAnew) {
  Service& first = Serve(Blocking(Echo));
  const std::string address = first.address();
  ASSERT_TRUE(Call({}));
  Stop(first);
  ServiceOptions options = Options();
  options.address = address;
  Serve(Blocking(Echo), std::move(options));
  EXPECT_TRUE(Eventually([&] { return Call({}).has_value(); }));
}

}  // namespace
}  // namespace micro::e2e
