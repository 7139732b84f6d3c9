#include "fleet.h"
#include "selector/load.pb.h"

// Nodes that tell how busy they are, and clients that ask them.
namespace micro::e2e {
namespace {

using standard::load::LoadRequest;
using standard::load::LoadResponse;

constexpr MethodInfo kLoad = {.path = "/micro.Load/Get", .idempotent = true};

class PrequalTest : public FleetTest {
 protected:
  PrequalTest() { caller_options_.selector = "prequal"; }
  ~PrequalTest() override {
    gate_.Open();
    caller_.reset();
    services_.clear();  // ahead of what its handlers use
  }

  std::shared_ptr<Handler> Staying() {
    return Blocking([this, gate = gate_](Context& context, const Request& request) -> Reply {
      if (request.name() == "stay") {
        ++staying_;
        gate.Wait();
      }
      return Echo(context, request);
    });
  }
  // Calls of another client, that stay at one node.
  std::vector<std::jthread> Occupy(const Service& node, int calls) {
    other_ = std::make_unique<Service>(Options("other"));
    std::vector<std::jthread> staying;
    for (int i = 0; i < calls; ++i) {
      staying.emplace_back([this, address = node.address()] {
        const testee::TestClient test("test", other_->client());
        EXPECT_TRUE(test.Call(Named("stay"), {.timeout = 60s, .addresses = {&address, 1}}));
      });
    }
    EXPECT_TRUE(Eventually([&] { return staying_ == calls; }));
    return staying;
  }
  Result<std::uint32_t> AskLoad() {
    LoadResponse response;
    const Status status = caller().client().Call("test", kLoad, LoadRequest(), response, {});
    if (!status) return Failure(status.error());
    return response.in_flight();
  }
  std::string AddressCalled() {
    CallInfo info;
    const Reply reply = Call(Named("x"), {.timeout = 60s, .info = &info});
    return reply ? info.node.address : reply.error().ToString();
  }

  Gate gate_;
  std::atomic<int> staying_ = 0;
  std::unique_ptr<Service> other_;
};

INSTANTIATE_TEST_SUITE_P(Transports, PrequalTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(PrequalTest, ANodeTellsTheCallsThatItServes) {
  Service& node = Serve(Staying());
  EXPECT_EQ(AskLoad(), 0U);
  const auto staying = Occupy(node, 3);
  EXPECT_EQ(AskLoad(), 3U);
  gate_.Open();
}

TEST_P(PrequalTest, ANodeThatIsFullStillTells) {
  ServiceOptions options = Options();
  options.max_in_flight = 1;
  Service& node = Serve(Staying(), options);
  const auto staying = Occupy(node, 1);
  EXPECT_EQ(AskLoad(), 1U);
  EXPECT_EQ(CallFails({}, {.retries = 0}).code(), Code::kResourceExhausted);
  gate_.Open();
}

TEST_P(PrequalTest, ANodeMayKeepItToItself) {
  ServiceOptions options = Options();
  options.load_handler = false;
  Serve(Staying(), options);
  EXPECT_EQ(AskLoad().error().code(), Code::kUnimplemented);
  Serve(Staying(), options);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Call({}));
}

TEST_P(PrequalTest, ANodeThatOthersKeepBusyIsLeftAlone) {
  Service& busy = Serve(Staying());
  const std::string idle = Serve(Staying()).address();
  const auto staying = Occupy(busy, 5);
  EXPECT_TRUE(Eventually([&] {
    for (int i = 0; i < 20; ++i) {
      if (AddressCalled() != idle) return false;
    }
    return true;
  }));
  gate_.Open();
}

TEST_P(PrequalTest, ClientsThatEndWhileTheyAskDoNoHarm) {
  for (int i = 0; i < 4; ++i) Serve(Staying());
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(Call({}));
    caller_.reset();
  }
}

}  // namespace
}  // namespace micro::e2e
