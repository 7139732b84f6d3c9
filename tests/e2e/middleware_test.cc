#include "fleet.h"
#include "socket.h"

namespace micro::e2e {
namespace {

class MiddlewareTest : public FleetTest {
 protected:
  // Writes a letter ahead of the rest and behind it.
  Middleware Letter(char letter) {
    return [this, letter](Context& context, Next next) -> Task<Status> {
      Write(letter);
      Status status = co_await next(context);
      Write(letter);
      co_return status;
    };
  }

  void Write(char letter) {
    const std::lock_guard lock(mutex_);
    text_ += letter;
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

  // Serves Echo with middleware.
  void ServeWith(const std::vector<Middleware>& middleware, BlockingTest::Serve serve = Echo) {
    Service& service = Make(Options());
    service.Handle(Blocking(std::move(serve)));
    for (const Middleware& one : middleware) service.Use(one);
    ASSERT_TRUE(service.Start());
  }

  std::mutex mutex_;
  std::string text_;
};
INSTANTIATE_TEST_SUITE_P(Transports, MiddlewareTest, ::testing::Values("grpc", "memory"),
                         ParamName);

TEST_P(MiddlewareTest, TheFirstStandsOutermostOnBothSides) {
  ServeWith({Letter('c'), Letter('d')}, [this](Context& context, const Request& request) {
    Write('|');
    return Echo(context, request);
  });
  caller().UseClient(Letter('a'));
  caller().UseClient(Letter('b'));
  ASSERT_TRUE(Call({}));
  // The service's own end may come after the answer has gone.
  EXPECT_TRUE(Eventually([&] { return text().size() == 9; }));
  EXPECT_EQ(text().substr(0, 5), "abcd|");
}

TEST_P(MiddlewareTest, OfTheServiceMayRefuse) {
  ServeWith({[](Context& context, Next next) -> Task<Status> {
    if (!context.metadata().Has("authorization")) co_return Unauthenticated("who are you?");
    co_return co_await next(context);
  }});
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kUnauthenticated);
  EXPECT_EQ(error.id(), "test");
  const Metadata token = {{"authorization", "Bearer x"}};
  EXPECT_TRUE(Call({}, {.metadata = &token}));
}

TEST_P(MiddlewareTest, OfTheServiceMayAddMetadata) {
  ServeWith({[](Context& context, Next next) -> Task<Status> {
              context.metadata().Set("x-user", "ann");
              context.response_metadata().Add("x-ahead", "1");
              Status status = co_await next(context);
              context.trailers().Add("x-behind", "2");
              co_return status;
            }},
            [](Context& context, const Request&) -> Reply {
              return Text(std::string(context.metadata().Get("x-user").value_or("")));
            });
  CallInfo info;
  EXPECT_EQ(Call({}, {.info = &info})->text(), "ann");
  EXPECT_EQ(info.response_metadata.Get("x-ahead"), "1");
  EXPECT_EQ(info.trailers.Get("x-behind"), "2");
}

TEST_P(MiddlewareTest, OfTheServiceSeesTheErrorAndMayChangeIt) {
  ServeWith({[](Context& context, Next next) -> Task<Status> {
              Status status = co_await next(context);
              if (!status && status.error().code() == Code::kNotFound) co_return Aborted("hidden");
              co_return status;
            }},
            [](Context&, const Request&) -> Reply { return NotFound("secret"); });
  EXPECT_EQ(CallFails({}).detail(), "hidden");
}

TEST_P(MiddlewareTest, OfTheServiceThatAnswersNothingIsAnError) {
  ServeWith({[](Context&, Next) -> Task<Status> { co_return Ok(); }});
  EXPECT_EQ(CallFails({}).code(), Code::kInternal);
}

TEST_P(MiddlewareTest, OfTheServiceThatThrowsIsInternalAndLogged) {
  ServeWith({[](Context&, Next) -> Task<Status> {
    throw std::runtime_error("broken");
    co_return Ok();
  }});
  EXPECT_EQ(CallFails({}).code(), Code::kInternal);
  EXPECT_TRUE(log_->Has(LogLevel::kError, "broken"));
}

TEST_P(MiddlewareTest, OfTheCallerMayAddMetadataAndSeesTheAnswers) {
  ServeWith({}, [](Context& context, const Request&) -> Reply {
    context.response_metadata().Add("x-ahead", *context.metadata().Get("x-token"));
    return Response();
  });
  caller().UseClient([this](Context& context, Next next) -> Task<Status> {
    context.metadata().Set("x-token", "t");
    Status status = co_await next(context);
    Write(context.response_metadata().Get("x-ahead") == "t" ? 'y' : 'n');
    Write(context.service() == "test" && context.path() == "/testee.Test/Call" ? 'y' : 'n');
    co_return status;
  });
  ASSERT_TRUE(Call({}));
  EXPECT_EQ(text(), "yy");
}

TEST_P(MiddlewareTest, OfTheCallerMayEndTheCallItself) {
  caller().UseClient([](Context&, Next) -> Task<Status> { co_return PermissionDenied("no"); });
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kPermissionDenied);
  EXPECT_EQ(error.attempts(), 0);
}

TEST_P(MiddlewareTest, OfTheCallerThatThrowsIsInternal) {
  caller().UseClient([](Context&, Next) -> Task<Status> {
    throw std::runtime_error("broken");
    co_return Ok();
  });
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kInternal);
  EXPECT_EQ(error.detail(), "broken");
}

TEST_P(MiddlewareTest, OfTheCallerSurroundsAllAttempts) {
  caller_options_.selector = "round_robin";
  Service& service = Serve(Blocking(Echo));
  caller().UseClient(Letter('a'));
  const DeadPort port;
  const std::string dead = transport_ == "grpc" ? port.address() : "memory:60000";
  const std::vector<std::string> addresses = {dead, service.address()};
  EXPECT_TRUE(Call({}, {.addresses = addresses}));
  EXPECT_EQ(text(), "aa");
}

}  // namespace
}  // namespace micro::e2e
