#include <csignal>
#include <set>

#include "child.h"
#include "counting.h"
#include "fleet.h"
#include "socket.h"

// Nodes, and registries, that fail, and what the caller notices of it.
namespace micro::e2e {
namespace {

constexpr MethodInfo kHello = {.path = "/helloworld.Greeter/Hello", .idempotent = true};

class FailoverTest : public GrpcFleetTest {
 protected:
  void Register(const std::string& id, const std::string& address) {
    const ServiceInfo service{
        .name = "test", .version = "latest", .nodes = {{.id = id, .address = address}}};
    ASSERT_TRUE(caller().registry().Register(service, {}));
  }
  std::string AddressCalled(CallOptions options = {}) {
    CallInfo info;
    options.info = &info;
    const Reply reply = Call({}, options);
    return reply ? info.node.address : reply.error().ToString();
  }
};

TEST_F(FailoverTest, ANodeThatRefusesIsAskedOnceOnly) {
  caller_options_.selector = "round_robin";
  const DeadPort port;
  Register("dead", port.address());
  Serve(Blocking(Echo));
  int attempts = 0;
  constexpr int kCalls = 10;
  for (int i = 0; i < kCalls; ++i) {
    CallInfo info;
    EXPECT_TRUE(Call({}, {.info = &info}));
    attempts += info.attempts;
  }
  EXPECT_LE(attempts, kCalls + 2);  // without a rest it would be half as many more
  EXPECT_GE(caller().metrics().GetCounter("micro_discovery_ejections_total", "").value(), 1U);
}

TEST_F(FailoverTest, TheErrorTellsOfEveryAttempt) {
  const DeadPort one;
  const DeadPort two;
  const std::vector<std::string> addresses = {one.address(), two.address()};
  const Error error = CallFails({}, {.addresses = addresses});
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.attempts(), 2);
  const bool one_first = error.node() == two.address();
  EXPECT_THAT(error.earlier(), ::testing::StartsWith((one_first ? one : two).address() + ": "));
  EXPECT_THAT(error.ToString(), ::testing::HasSubstr("attempt 2, before: "));
}

// Five processes; one is killed while they are called.
TEST_F(FailoverTest, NoIdempotentCallFailsWhenANodeIsKilled) {
  std::vector<std::unique_ptr<Child>> nodes;
  for (int i = 0; i < 5; ++i) {
    nodes.push_back(std::make_unique<Child>(
        "helloworld",
        std::vector<std::string>{"--server_address=127.0.0.1:0", "--registry=memory"}));
    Register(std::to_string(i), nodes.back()->After("listening on "));
  }
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0;
  std::atomic<int> failed = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        Response response;
        const Status status =
            caller().client().Call("test", kHello, Named("x"), response, {.timeout = 30s});
        ++(status ? answered : failed);
        EXPECT_TRUE(status) << status.error().ToString();
      }
    });
  }
  for (const int victim : {1, 3}) {
    const int before = answered;
    EXPECT_TRUE(Eventually([&] { return answered > before + 100; }));
    nodes[victim]->Signal(SIGKILL);
    nodes[victim]->Wait();
  }
  const int before = answered;
  EXPECT_TRUE(Eventually([&] { return answered > before + 100; }));
  stop = true;
  callers.clear();
  EXPECT_EQ(failed, 0);
}

TEST_F(FailoverTest, ANodeThatHangsIsLeftAlone) {
  const Gate gate;
  std::atomic<int> hung = 0;
  caller_options_.selector = "round_robin";
  Serve(Blocking([&hung, gate](Context&, const Request&) -> Reply {
    ++hung;
    gate.Wait();
    return Response();
  }));
  Serve(Blocking(Echo));
  ASSERT_TRUE(Eventually([&] {
    static_cast<void>(Call({}, {.timeout = 50ms}));
    return caller().metrics().GetCounter("micro_discovery_ejections_total", "").value() > 0;
  }));
  const int before = hung;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Call({}, {.timeout = 60s}));
  EXPECT_EQ(hung, before);
  gate.Open();
}

TEST_F(FailoverTest, WhatOneNodeIsTooBusyForAnotherDoes) {
  caller_options_.selector = "round_robin";
  const Gate gate;
  std::atomic<int> entered = 0;
  ServiceOptions options = Options();
  options.max_in_flight = 1;
  Serve(Blocking([&entered, gate](Context&, const Request& request) -> Reply {
          if (request.name() == "stay") {
            ++entered;
            gate.Wait();
          }
          return Text("busy");
        }),
        options);
  Serve(Blocking(Echo));
  // One after the other, until one stays.
  std::atomic<std::size_t> answered = 0;
  std::vector<std::jthread> staying;
  ASSERT_TRUE(Eventually([&] {
    if (entered == 0 && answered == staying.size()) {
      staying.emplace_back([&] {
        EXPECT_TRUE(Call(Named("stay"), {.timeout = 60s}));
        ++answered;
      });
    }
    return entered == 1;
  }));
  for (int i = 0; i < 6; ++i) {
    const Reply reply = Call(Named("x"));
    ASSERT_TRUE(reply) << reply.error().ToString();
    EXPECT_EQ(reply->text(), "Hello x");
  }
  gate.Open();
}

TEST_F(FailoverTest, WhoeverCallsMaySayWhatIsRepeated) {
  std::atomic<int> served = 0;
  const auto handler = Blocking([&](Context&, const Request&) -> Reply {
    if (++served % 2 == 1) return Aborted("try again");
    return Response();
  });
  Serve(handler);
  Serve(handler);
  EXPECT_EQ(CallFails({}).code(), Code::kAborted);
  ++served;
  EXPECT_TRUE(Call({}, {.retry_if = [](const Error& error, int attempts) {
                     return error.code() == Code::kAborted && attempts < 2;
                   }}));
  EXPECT_EQ(served, 4);
}

TEST_F(FailoverTest, WhoeverCallsMaySayThatACallIsIdempotent) {
  std::atomic<int> served = 0;
  const auto handler = Blocking([&](Context&, const Request&) -> Reply {
    if (++served == 1) return Unavailable("not now");
    return Response();
  });
  Serve(handler);
  Serve(handler);
  EXPECT_TRUE(Call({}, {.idempotent = true}));
  EXPECT_EQ(served, 2);
}

// --- filters and zones
// ----------------------------------------------------------------------------

TEST_F(FailoverTest, AFilterLeavesOnlyWhatPasses) {
  ServiceOptions canary = Options();
  canary.version = "2";
  canary.metadata = {{"tier", "canary"}};
  const std::string address = Serve(Blocking(Echo), canary).address();
  for (int i = 0; i < 3; ++i) Serve(Blocking(Echo));
  const NodeFilter version = {.version = "2"};
  const NodeFilter label = {.labels = {{"tier", "canary"}}};
  const NodeFilter endpoint = {.version = "2", .endpoint = "Test.Call"};
  for (int i = 0; i < 5; ++i) {
    for (const NodeFilter* filter : {&version, &label, &endpoint}) {
      EXPECT_EQ(AddressCalled({.filter = filter}), address);
    }
  }
}

TEST_F(FailoverTest, WhenNothingPassesTheErrorSaysSo) {
  Serve(Blocking(Echo));
  const NodeFilter filter = {.version = "3"};
  const Error error = CallFails({}, {.filter = &filter});
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.phase(), Phase::kResolve);
  EXPECT_EQ(error.detail(), "no node of \"test\" passes the call's filter");
}

TEST_F(FailoverTest, NodesOfTheOwnZoneComeFirst) {
  caller_options_.zone = "here";
  ServiceOptions here = Options();
  here.zone = "here";
  ServiceOptions there = Options();
  there.zone = "there";
  Service& near = Serve(Blocking(Echo), here);
  const std::string near_address = near.address();
  const std::string far_address = Serve(Blocking(Echo), there).address();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(AddressCalled(), near_address);
  Stop(near);
  EXPECT_TRUE(Eventually([&] { return AddressCalled() == far_address; }));
}

TEST_F(FailoverTest, WhenTheOwnZoneCannotBeReachedAnotherIs) {
  caller_options_.zone = "here";
  const DeadPort port;
  const ServiceInfo dead{
      .name = "test",
      .version = "latest",
      .nodes = {{.id = "dead", .address = port.address(), .metadata = {{"zone", "here"}}}}};
  ASSERT_TRUE(caller().registry().Register(dead, {}));
  const std::string far_address = Serve(Blocking(Echo)).address();
  EXPECT_EQ(AddressCalled(), far_address);
}

// --- registries that fail
// -------------------------------------------------------------------------

// Stands before a registry, and breaks.
class Breaking final : public Registry {
 public:
  enum class How : std::uint8_t { kNot, kError, kEmpty };

  explicit Breaking(std::shared_ptr<Registry> whole) : whole_(std::move(whole)) {}
  void Break(How how) { how_ = how; }

  std::string_view name() const override { return "memory"; }
  Status Register(const ServiceInfo& service, const RegisterOptions& options) override {
    return whole_->Register(service, options);
  }
  Status Deregister(const ServiceInfo& service) override { return whole_->Deregister(service); }
  Result<std::vector<ServiceInfo>> GetService(std::string_view service) override {
    if (how_ == How::kError) return Unavailable("the registry is down");
    if (how_ == How::kEmpty) return std::vector<ServiceInfo>();
    return whole_->GetService(service);
  }
  Result<std::vector<ServiceInfo>> ListServices() override { return whole_->ListServices(); }
  Result<Subscription> Watch(std::string_view service, Watcher watcher) override {
    return whole_->Watch(service, std::move(watcher));
  }

 private:
  std::shared_ptr<Registry> whole_;
  std::atomic<How> how_{How::kNot};
};

class BrokenRegistryTest : public FailoverTest {
 protected:
  BrokenRegistryTest() {
    caller_options_.plugins.registries["breaking"] = [this](const RegistryConfig& config) {
      registry_ = std::make_shared<Breaking>(*plugins_.registries["memory"](config));
      return Result<std::shared_ptr<Registry>>(registry_);
    };
    caller_options_.registry = "breaking";
    caller_options_.plugins.registries["memory"] = plugins_.registries["memory"];
  }

  std::shared_ptr<Breaking> registry_;
};

TEST_F(BrokenRegistryTest, CallsGoOnWhateverTheRegistrySays) {
  Service& first = Serve(Blocking(Echo));
  const DeadPort port;
  Register("dead", port.address());
  Serve(Blocking(Echo));
  ASSERT_TRUE(Call({}));
  for (const Breaking::How how : {Breaking::How::kError, Breaking::How::kEmpty}) {
    registry_->Break(how);
    const NodeFilter none = {.version = "none"};
    CallFails({}, {.filter = &none});  // which asks the registry once more
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(Call({}));
  }
  Stop(first);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(test().Look({}));
}

// --- what selectors are told
// ----------------------------------------------------------------------

class OutcomeTest : public FailoverTest {
 protected:
  OutcomeTest() {
    caller_options_.plugins.selectors["counting"] = [this](const SelectorConfig&) {
      return std::make_unique<Counting>(counts_);
    };
    caller_options_.selector = "counting";
  }
  void ExpectOne(Outcome outcome) {
    EXPECT_EQ(counts_->picks, 1);
    EXPECT_TRUE(Eventually([&] { return counts_->of(outcome) == 1; })) << static_cast<int>(outcome);
    int all = 0;
    for (const auto& count : counts_->outcomes) all += count;
    EXPECT_EQ(all, 1);
  }

  std::shared_ptr<Counting::Counts> counts_ = std::make_shared<Counting::Counts>();
};

TEST_F(OutcomeTest, AnAnswerIsTold) {
  Serve(Blocking(Echo));
  EXPECT_TRUE(Call({}));
  ExpectOne(Outcome::kAnswered);
}

TEST_F(OutcomeTest, AnErrorIsAnAnswerToo) {
  Serve(Blocking([](Context&, const Request&) -> Reply { return NotFound("no"); }));
  CallFails({});
  ExpectOne(Outcome::kAnswered);
}

TEST_F(OutcomeTest, AnErrorThatSaysNotNowIsNot) {
  Serve(Blocking([](Context&, const Request&) -> Reply { return Unavailable("not now"); }));
  CallFails({});
  ExpectOne(Outcome::kRefused);
}

TEST_F(OutcomeTest, AConnectionThatCannotBeHadIsTold) {
  const DeadPort port;
  Register("dead", port.address());
  CallFails({});
  ExpectOne(Outcome::kUnreachable);
}

TEST_F(OutcomeTest, ADeadlineIsTold) {
  const Gate gate;
  Serve(Blocking([gate](Context&, const Request&) -> Reply {
    gate.Wait();
    return Response();
  }));
  EXPECT_EQ(CallFails({}, {.timeout = 50ms}).code(), Code::kDeadlineExceeded);
  ExpectOne(Outcome::kTimedOut);
  gate.Open();
}

TEST_F(OutcomeTest, ACallThatIsGivenUpSaysNothing) {
  const Gate entered;
  const Gate gate;
  Serve(Blocking([entered, gate](Context&, const Request&) -> Reply {
    entered.Open();
    gate.Wait();
    return Response();
  }));
  std::jthread calling([&] { EXPECT_EQ(CallFails({}).code(), Code::kCancelled); });
  ASSERT_TRUE(entered.Wait());
  caller_.reset();  // closes its client
  calling.join();
  ExpectOne(Outcome::kAbandoned);
  gate.Open();
}

}  // namespace
}  // namespace micro::e2e
