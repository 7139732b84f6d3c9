#include "counting.h"
#include "fleet.h"

// Calls that ask a second node when the first takes its time.
namespace micro::e2e {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class HedgeTest : public FleetTest {
 protected:
  HedgeTest() {
    caller_options_.plugins.selectors["counting"] = [this](const SelectorConfig&) {
      return std::make_unique<Counting>(counts_);
    };
    caller_options_.selector = "counting";
  }
  ~HedgeTest() override {
    gone_ = true;
    caller_.reset();
    services_.clear();  // ahead of what its handlers use
  }

  // The first node is the one that is picked first. It does not answer before it is let, or its
  // caller goes.
  void ServeSlow() {
    const std::shared_ptr<Handler> slow =
        Blocking([this](Context& context, const Request&) -> Reply {
          ++entered_;
          while (!context.cancelled() && !gone_) std::this_thread::sleep_for(1ms);
          if (context.cancelled()) ++cancelled_;
          return Text("slow");
        });
    Serve(slow, Numbered("1"));
  }
  void ServeFast() { Serve(Blocking(Echo), Numbered("2")); }
  ServiceOptions Numbered(const std::string& id) {
    ServiceOptions options = Options();
    options.id = id;
    return options;
  }
  Reply Look(CallOptions options) {
    options.timeout = 60s;
    return test().Look(Named("x"), options);
  }
  int Of(Outcome outcome) const { return counts_->of(outcome); }
  int Ended() const {
    int all = 0;
    for (const auto& count : counts_->outcomes) all += count;
    return all;
  }
  std::uint64_t Count(const std::string& name) {
    return caller().metrics().GetCounter(name, "").value();
  }

  std::atomic<bool> gone_ = false;
  std::atomic<int> entered_ = 0;
  std::atomic<int> cancelled_ = 0;
  std::shared_ptr<Counting::Counts> counts_ = std::make_shared<Counting::Counts>();
};

INSTANTIATE_TEST_SUITE_P(Transports, HedgeTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(HedgeTest, ASecondNodeAnswersForOneThatIsSlow) {
  ServeSlow();
  ServeFast();
  CallInfo info;
  const Reply reply = Look({.hedge_after = 20ms, .info = &info});
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->text(), "Hello x");
  EXPECT_EQ(info.node.id, "test-2");
  EXPECT_EQ(info.attempts, 2);
  EXPECT_EQ(Count("micro_client_hedges_total"), 1U);
  EXPECT_EQ(Count("micro_client_hedges_won_total"), 1U);
  EXPECT_EQ(counts_->picks, 2);
  EXPECT_EQ(Of(Outcome::kAnswered), 1);
  EXPECT_EQ(Of(Outcome::kAbandoned), 1);
  EXPECT_TRUE(Eventually([&] { return cancelled_ == 1; }));
}

TEST_P(HedgeTest, AnAnswerInTimeIsAllThereIs) {
  Serve(Blocking(Echo), Numbered("1"));
  ServeFast();
  CallInfo info;
  ASSERT_TRUE(Look({.hedge_after = 50s, .info = &info}));
  EXPECT_EQ(info.attempts, 1);
  EXPECT_EQ(counts_->picks, 1);
  EXPECT_EQ(Of(Outcome::kAnswered), 1);
}

TEST_P(HedgeTest, TheFirstMayStillWin) {
  Serve(Blocking([this](Context&, const Request&) -> Reply {
          EXPECT_TRUE(Eventually([&] { return entered_ > 0; }));
          return Text("first");
        }),
        Numbered("1"));
  Serve(Blocking([this](Context& context, const Request&) -> Reply {
          ++entered_;
          while (!context.cancelled()) std::this_thread::sleep_for(1ms);
          return Text("second");
        }),
        Numbered("2"));
  const Reply reply = Look({.hedge_after = 20ms});
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->text(), "first");
  EXPECT_EQ(Count("micro_client_hedges_won_total"), 0U);
  EXPECT_EQ(Of(Outcome::kAbandoned), 1);
}

TEST_P(HedgeTest, WhatCannotBeRepeatedCannotBeHedged) {
  ServeFast();
  const Error error = CallFails({}, {.hedge_after = 1ms});
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_THAT(error.detail(), HasSubstr("cannot be hedged"));
  EXPECT_TRUE(Call({}, {.idempotent = true, .hedge_after = 1s}));
}

TEST_P(HedgeTest, TheClientsOwnHedgesLeaveAloneWhatCannotBeRepeated) {
  caller_options_.client_hedge_after = 5ms;
  ServeSlow();
  ServeFast();
  EXPECT_TRUE(Look({}));
  std::jthread later([this] {
    EXPECT_TRUE(Eventually([&] { return entered_ == 2; }));
    std::this_thread::sleep_for(50ms);  // several times as long as a hedge waits
    gone_ = true;
  });
  const Reply reply = Call(Named("x"), {.timeout = 60s});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text(), "slow");
  EXPECT_EQ(Count("micro_client_hedges_total"), 1U);
}

TEST_P(HedgeTest, ACallMayForgoTheClientsHedges) {
  caller_options_.client_hedge_after = 1ms;
  ServeSlow();
  ServeFast();
  std::jthread later([this] {
    EXPECT_TRUE(Eventually([&] { return entered_ == 1; }));
    std::this_thread::sleep_for(50ms);
    gone_ = true;
  });
  const Reply reply = Look({.hedge_after = -1s});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text(), "slow");
}

TEST_P(HedgeTest, WithOneNodeThereIsNobodyElseToAsk) {
  ServeSlow();
  std::jthread later([this] {
    EXPECT_TRUE(Eventually([&] { return entered_ == 1; }));
    std::this_thread::sleep_for(50ms);
    gone_ = true;
  });
  EXPECT_TRUE(Look({.hedge_after = 1ms}));
  EXPECT_EQ(entered_, 1);
  EXPECT_EQ(counts_->picks, 1);
}

TEST_P(HedgeTest, ASecondNodeThatFailsLeavesItToTheFirst) {
  Serve(Blocking([this](Context&, const Request&) -> Reply {
          EXPECT_TRUE(Eventually([&] { return Of(Outcome::kRefused) == 1; }));
          return Text("first");
        }),
        Numbered("1"));
  Serve(Blocking([](Context&, const Request&) -> Reply { return Unavailable("not now"); }),
        Numbered("2"));
  const Reply reply = Look({.hedge_after = 20ms});
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->text(), "first");
  EXPECT_EQ(Of(Outcome::kAnswered), 1);
}

TEST_P(HedgeTest, WhenBothFailTheErrorTellsOfBoth) {
  caller_options_.client_retries = 1;
  Serve(Blocking([this](Context&, const Request&) -> Reply {
          EXPECT_TRUE(Eventually([&] { return Of(Outcome::kRefused) == 1; }));
          return Unavailable("nor I");
        }),
        Numbered("1"));
  Serve(Blocking([](Context&, const Request&) -> Reply { return Unavailable("not I"); }),
        Numbered("2"));
  const Reply reply = Look({.hedge_after = 20ms});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().attempts(), 2);
  EXPECT_THAT(reply.error().ToString(), HasSubstr("nor I"));
  EXPECT_THAT(reply.error().earlier(), HasSubstr("not I"));
  EXPECT_EQ(Of(Outcome::kRefused), 2);
}

TEST_P(HedgeTest, TheDeadlineEndsBoth) {
  ServeSlow();
  Serve(Blocking([this](Context& context, const Request&) -> Reply {
          while (!context.cancelled()) std::this_thread::sleep_for(1ms);
          ++cancelled_;
          return Response();
        }),
        Numbered("2"));
  const Reply reply = test().Look({}, {.timeout = 300ms, .hedge_after = 20ms});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(Ended(), counts_->picks);
  EXPECT_GE(Of(Outcome::kTimedOut), 1);
  EXPECT_TRUE(Eventually([&] { return cancelled_ == entered_ + counts_->picks - 1; }));
}

TEST_P(HedgeTest, ACallThatIsGivenUpEndsBoth) {
  ServeSlow();
  Serve(Blocking([this](Context& context, const Request&) -> Reply {
          ++entered_;
          while (!context.cancelled()) std::this_thread::sleep_for(1ms);
          return Response();
        }),
        Numbered("2"));
  std::jthread calling([&] {
    const Reply reply = Look({.hedge_after = 10ms});
    EXPECT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), Code::kCancelled);
  });
  ASSERT_TRUE(Eventually([&] { return entered_ == 2; }));
  caller_.reset();
  calling.join();
  EXPECT_EQ(Of(Outcome::kAbandoned), 2);
  EXPECT_EQ(Ended(), 2);
}

TEST_P(HedgeTest, HedgesComeOutOfTheRetryBudget) {
  caller_options_.loops = 1;
  ServeSlow();
  ServeFast();
  for (int i = 0; i < 400 && Count("micro_client_retries_denied_total") == 0; ++i) {
    static_cast<void>(test().Look(Named("x"), {.timeout = 50ms, .hedge_after = 1ns}));
  }
  EXPECT_GE(Count("micro_client_retries_denied_total"), 1U);
  EXPECT_EQ(Ended(), counts_->picks);
}

}  // namespace
}  // namespace micro::e2e
