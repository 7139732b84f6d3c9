#include "fleet.h"

// No more than so many calls at one node.
namespace micro::e2e {
namespace {

using ::testing::HasSubstr;

class CircuitTest : public FleetTest {
 protected:
  CircuitTest() {
    caller_options_.client_max_node_calls = 1;
    caller_options_.client_retries = 0;
  }
  ~CircuitTest() override {
    gate_.Open();
    caller_.reset();
    services_.clear();  // ahead of what its handlers use
  }
  // Calls that say "stay" do so until the gate opens.
  std::shared_ptr<Handler> Staying() {
    return Blocking([this, gate = gate_](Context& context, const Request& request) -> Reply {
      if (request.name() == "stay") {
        ++staying_;
        gate.Wait();
      }
      return Echo(context, request);
    });
  }
  std::jthread Stay() {
    const int before = staying_;
    std::jthread call([this] { EXPECT_TRUE(Call(Named("stay"), {.timeout = 60s})); });
    EXPECT_TRUE(Eventually([&] { return staying_ > before; }));
    return call;
  }
  std::uint64_t Full() {
    return caller()
        .metrics()
        .GetCounter("micro_client_circuit_open_total", "", {{"reason", "full"}})
        .value();
  }

  Gate gate_;
  std::atomic<int> staying_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Transports, CircuitTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(CircuitTest, WhenEveryNodeIsFullTheCallFailsAtOnce) {
  Serve(Staying());
  const std::jthread staying = Stay();
  const Error error = CallFails({}, {.timeout = 60s});
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_TRUE(error.retry_after());
  EXPECT_EQ(error.attempts(), 0);
  EXPECT_THAT(error.detail(), HasSubstr("--client_max_node_calls"));
  EXPECT_GE(Full(), 1U);
  gate_.Open();
}

TEST_P(CircuitTest, ANodeThatIsFullIsPassedOver) {
  caller_options_.selector = "round_robin";
  Serve(Staying());
  Serve(Staying());
  const std::jthread staying = Stay();
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(Call(Named("x"), {.timeout = 60s}));
  EXPECT_GE(Full(), 1U);
  gate_.Open();
}

TEST_P(CircuitTest, PlacesAreGivenBackHoweverCallsEnd) {
  ServiceOptions options = Options();
  options.max_in_flight = 0;
  Serve(Blocking([](Context& context, const Request& request) -> Reply {
          if (request.name() == "fail") return Internal("no");
          while (request.name() == "late" && !context.cancelled()) std::this_thread::sleep_for(1ms);
          return Response();
        }),
        options);
  EXPECT_TRUE(Call(Named("x")));
  EXPECT_EQ(CallFails(Named("fail")).code(), Code::kInternal);
  EXPECT_EQ(CallFails(Named("late"), {.timeout = 20ms}).code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(Call(Named("x"), {.timeout = 60s}));
}

TEST_P(CircuitTest, AStreamHasItsPlaceUntilItEnds) {
  struct Talking final : testee::StreamsHandler {
    Status Talk(Context&, ServerStream<Request, Response>& stream) override {
      while (auto request = stream.Read()) stream.Write(Text(request->name()));
      return stream.status();
    }
  };
  Serve(std::make_shared<Talking>());
  const testee::StreamsClient streams("test", caller().client());
  auto first = streams.Talk({.timeout = 60s});
  ASSERT_TRUE(first.Write(Named("x")));
  ASSERT_TRUE(first.Read());
  auto second = streams.Talk({.timeout = 60s});
  EXPECT_FALSE(second.Read());
  EXPECT_EQ(second.Finish().error().code(), Code::kResourceExhausted);
  first.CloseSend();
  EXPECT_FALSE(first.Read());
  EXPECT_TRUE(first.Finish());
  auto third = streams.Talk({.timeout = 60s});
  ASSERT_TRUE(third.Write(Named("x")));
  EXPECT_TRUE(third.Read());
}

}  // namespace
}  // namespace micro::e2e
