#include <atomic>
#include <mutex>

#include "fleet.h"

// Selectors that count calls under way count nothing once there are none, however calls end.
namespace micro::e2e {
namespace {

// The parameter is the selector's name.
class InFlightTest : public FleetTest {
 protected:
  InFlightTest() : FleetTest("grpc") {
    for (const char* id : {"1", "2"}) {
      ServiceOptions options = Options();
      options.id = id;
      Serve(Nodes(), options);
    }
    front_ = &Make(FrontOptions());
    front_->Handle(Async([this](Context& context, Request request) -> Task<Reply> {
      const testee::TestClient test("test", front_->client());
      const bool hedged = request.name() == "hedge";
      Reply reply = co_await test.LookAsync(
          std::move(request), {.hedge_after = hedged ? Duration(20ms) : -1s, .parent = &context});
      co_return reply;
    }));
    EXPECT_TRUE(front_->Start());
  }
  ~InFlightTest() override {
    caller_.reset();
    services_.clear();  // ahead of what their handlers use
  }

  // Some requests stay until their caller goes.
  std::shared_ptr<Handler> Nodes() {
    return Blocking([this](Context& context, const Request& request) -> Reply {
      if (request.name() == "fail") return Internal("no");
      if (request.name() == "refuse") return Unavailable("not now");
      const bool stays = request.name() == "late" || (request.name() == "hedge" && hedges_++ == 0);
      if (stays) ++staying_;
      while (stays && !context.cancelled()) std::this_thread::sleep_for(1ms);
      return Response();
    });
  }
  ServiceOptions FrontOptions() {
    ServiceOptions options = Options("front");
    options.selector = GetParam();
    options.plugins.selectors[GetParam()] =
        [this, make = options.plugins.selectors.at(GetParam())](const SelectorConfig& config) {
          auto selector = make(config);
          const std::lock_guard lock(mutex_);
          made_.push_back(selector.get());
          return selector;
        };
    return options;
  }
  std::uint32_t InFlight() {
    const std::lock_guard lock(mutex_);
    std::uint32_t sum = 0;
    for (const Selector* selector : made_) {
      for (const char* id : {"test-1", "test-2"}) sum += selector->InFlight(id).value();
    }
    return sum;
  }
  Reply CallFront(const std::string& name, Duration timeout) {
    const testee::TestClient front("front", caller().client());
    return front.Look(Named(name), {.timeout = timeout, .retries = 0});
  }

  std::mutex mutex_;
  std::vector<const Selector*> made_;
  std::atomic<int> hedges_ = 0;
  std::atomic<int> staying_ = 0;
  Service* front_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Selectors, InFlightTest,
                         ::testing::Values("consistent_hash", "least_loaded", "p2c", "prequal"),
                         ParamName);

TEST_P(InFlightTest, NothingIsLeftHoweverCallsEnd) {
  EXPECT_TRUE(CallFront("x", 60s));
  EXPECT_FALSE(CallFront("fail", 60s));
  EXPECT_FALSE(CallFront("refuse", 60s));
  EXPECT_TRUE(CallFront("hedge", 60s));
  std::jthread late([this] { EXPECT_FALSE(CallFront("late", 2s)); });
  EXPECT_TRUE(Eventually([&] { return staying_ == 2; }));
  EXPECT_EQ(InFlight(), 1U);
  late.join();
  EXPECT_TRUE(Eventually([&] { return InFlight() == 0; })) << InFlight();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(CallFront("x", 60s));
  EXPECT_TRUE(Eventually([&] { return InFlight() == 0; })) << InFlight();
}

TEST_P(InFlightTest, NothingIsLeftOfACallThatIsGivenUp) {
  auto brief = std::make_unique<Service>(Options("brief"));
  std::jthread calling([&] {
    const testee::TestClient front("front", brief->client());
    EXPECT_FALSE(front.Look(Named("late"), {.timeout = 60s, .retries = 0}));
  });
  EXPECT_TRUE(Eventually([&] { return staying_ == 1; }));
  EXPECT_EQ(InFlight(), 1U);
  brief.reset();
  EXPECT_TRUE(Eventually([&] { return InFlight() == 0; })) << InFlight();
}

}  // namespace
}  // namespace micro::e2e
