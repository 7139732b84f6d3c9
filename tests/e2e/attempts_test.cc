#include "fleet.h"
#include "socket.h"

// What is told of a call that took more than one attempt.
namespace micro::e2e {
namespace {

using ::testing::HasSubstr;

class AttemptsTest : public GrpcFleetTest {
 protected:
  AttemptsTest() {
    caller_options_.selector = "round_robin";
    caller_options_.spans = [this](const Span& span) {
      const std::lock_guard lock(mutex_);
      attributes_.push_back(*span.attributes);
    };
  }
  ~AttemptsTest() override { caller_.reset(); }

  void Register(const std::string& id, const std::string& address) {
    const ServiceInfo service{
        .name = "test", .version = "latest", .nodes = {{.id = id, .address = address}}};
    ASSERT_TRUE(caller().registry().Register(service, {}));
  }
  std::uint64_t Retries(const std::string& reason) {
    return caller()
        .metrics()
        .GetCounter("micro_client_retries_total", "", {{"reason", reason}})
        .value();
  }
  // Of the latest call.
  std::string Attribute(std::string_view name) {
    const std::lock_guard lock(mutex_);
    return attributes_.empty() ? "" : std::string(attributes_.back().Get(name).value_or(""));
  }

  std::mutex mutex_;
  std::vector<Metadata> attributes_;
};

TEST_F(AttemptsTest, TheTraceNamesNodesAndReasons) {
  const DeadPort port;
  Register("dead", port.address());
  Serve(Blocking(Echo));
  CallInfo info;
  for (int i = 0; i < 2 && info.attempts < 2; ++i) {
    ASSERT_TRUE(Call({}, {.timeout = 60s, .info = &info}));
  }
  ASSERT_EQ(info.attempts, 2);
  EXPECT_EQ(Attribute("rpc.attempts"), "2");
  EXPECT_THAT(Attribute("rpc.attempt"), HasSubstr("dead at " + port.address() + ": UNAVAILABLE: "));
  EXPECT_EQ(Retries("not_sent"), 1U);
}

TEST_F(AttemptsTest, ACallThatNeedsOneAttemptHasNothingToTell) {
  Serve(Blocking(Echo));
  ASSERT_TRUE(Call({}));
  EXPECT_EQ(Attribute("rpc.attempts"), "");
  EXPECT_EQ(Attribute("rpc.attempt"), "");
}

TEST_F(AttemptsTest, RetriesAreCountedByWhyTheyMightBe) {
  std::atomic<int> served = 0;
  const auto handler = Blocking([&served](Context&, const Request& request) -> Reply {
    if (++served % 2 == 0) return Response();
    if (request.name() == "busy") {
      Error error(Code::kResourceExhausted, "busy");
      error.set_retry_after(1ms);
      return Fails(std::move(error));
    }
    if (request.name() == "broken") return Internal("broken");
    return Unavailable("not now");
  });
  Serve(handler);
  Serve(handler);
  EXPECT_TRUE(Call(Named("busy"), {.timeout = 60s}));
  EXPECT_TRUE(Call({}, {.timeout = 60s, .idempotent = true}));
  EXPECT_TRUE(Call(Named("broken"), {.timeout = 60s, .retry_if = RetryLikeGoMicro}));
  for (const char* reason : {"refused", "repeatable", "asked_for"}) {
    EXPECT_EQ(Retries(reason), 1U) << reason;
  }
  EXPECT_EQ(served, 6);
}

}  // namespace
}  // namespace micro::e2e
