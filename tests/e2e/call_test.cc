#include <thread>

#include <google/protobuf/text_format.h>

#include "fleet.h"

namespace micro::e2e {
namespace {

class CallTest : public FleetTest {};
INSTANTIATE_TEST_SUITE_P(Transports, CallTest, ::testing::Values("grpc", "memory"), ParamName);

Request Full() {
  Request request = Named("John");
  request.set_big_number(-9'007'199'254'740'993);
  request.set_payload(std::string("\0\xff", 2));
  return request;
}

void ExpectEchoed(const Reply& reply) {
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->text(), "Hello John");
  EXPECT_EQ(reply->big_number(), Full().big_number());
  EXPECT_EQ(reply->payload(), Full().payload());
}

TEST_P(CallTest, ABlockingHandlerAnswers) {
  Serve(Blocking(Echo));
  ExpectEchoed(Call(Full()));
}

TEST_P(CallTest, ACoroutineHandlerAnswers) {
  Serve(Async([](Context& context, Request request) -> Task<Reply> {
    co_await Sleep(1ms);
    co_return Echo(context, request);
  }));
  ExpectEchoed(Call(Full()));
}

TEST_P(CallTest, ABlockingHandlerRunsOffTheLoops) {
  Serve(Blocking([](Context&, const Request&) -> Reply {
    return Text(EventLoop::Current() == nullptr ? "worker" : "loop");
  }));
  EXPECT_EQ(Call({})->text(), "worker");
}

TEST_P(CallTest, EmptyMessagesTravel) {
  Serve(Blocking([](Context&, const Request&) -> Reply { return Response(); }));
  const Reply reply = Call({});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->ByteSizeLong(), 0U);
}

TEST_P(CallTest, JsonIsUnderstoodAndAnswered) {
  Serve(Blocking(Echo));
  for (const std::string type : {"application/json", "application/grpc+json"}) {
    ExpectEchoed(Call(Full(), {.content_type = type}));
  }
}

TEST_P(CallTest, TheContextSaysWhoCallsWhat) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    return Text(context.service() + " " + context.path() + " " +
                std::string(context.metadata().Get("micro-from-service").value_or("nobody")) + " " +
                (context.peer().empty() ? "unknown" : "known"));
  }));
  EXPECT_EQ(Call({})->text(), "test /testee.Test/Call caller known");
}

TEST_P(CallTest, ErrorsOfEveryCodeArriveWithTheNameOfTheService) {
  Serve(Blocking([](Context&, const Request& request) -> Reply {
    return Fails(static_cast<Code>(request.big_number()), "as asked: " + request.name());
  }));
  for (int code = 1; code <= 16; ++code) {
    Request request = Named("\xc3\xbc 100%");
    request.set_big_number(code);
    const Error error = CallFails(request);
    EXPECT_EQ(error.code(), static_cast<Code>(code));
    EXPECT_EQ(error.detail(), "as asked: \xc3\xbc 100%");
    EXPECT_EQ(error.id(), "test");
    EXPECT_EQ(error.phase(), Phase::kRemote);
    EXPECT_EQ(error.attempts(), 1);
    EXPECT_FALSE(error.node().empty());
  }
}

TEST_P(CallTest, AnErrorsOwnIdAndNumberStay) {
  Serve(Blocking([](Context&, const Request&) -> Reply {
    return Failure(Error::FromHttpCode("somebody.else", 418, "short and stout"));
  }));
  const Error error = CallFails({});
  EXPECT_EQ(error.id(), "somebody.else");
  EXPECT_EQ(error.http_code(), 418);
  EXPECT_EQ(error.code(), Code::kUnknown);
}

TEST_P(CallTest, MetadataTravelsBothWays) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    context.response_metadata().Add("x-ahead", *context.metadata().Get("x-user"));
    context.trailers().Add("x-behind-bin", *context.metadata().Get("x-raw-bin"));
    return Response();
  }));
  CallInfo info;
  const std::string raw("\0\xff\n", 3);
  const Metadata metadata = {{"X-User", "ann"}, {"x-raw-bin", raw}};
  ASSERT_TRUE(Call({}, {.metadata = &metadata, .info = &info}));
  EXPECT_EQ(info.response_metadata.Get("x-ahead"), "ann");
  EXPECT_EQ(info.trailers.Get("x-behind-bin"), raw);
  EXPECT_EQ(info.attempts, 1);
  EXPECT_EQ(info.node.address, services_[0]->address());
}

TEST_P(CallTest, MetadataTravelsWithErrorsToo) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    context.response_metadata().Add("x-ahead", "1");
    context.trailers().Add("x-behind", "2");
    return Aborted("no");
  }));
  CallInfo info;
  CallFails({}, {.info = &info});
  EXPECT_EQ(info.response_metadata.Get("x-ahead"), "1");
  EXPECT_EQ(info.trailers.Get("x-behind"), "2");
}

TEST_P(CallTest, WhatAHandlerThrowsIsInternalAndLogged) {
  Serve(Blocking([](Context&, const Request&) -> Reply { throw std::runtime_error("broken"); }));
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kInternal);
  EXPECT_NE(error.detail().find("broken"), std::string::npos);
  EXPECT_TRUE(log_->Has(LogLevel::kError, "/testee.Test/Call"));
}

TEST_P(CallTest, WhatACoroutineThrowsIsInternalAndLogged) {
  Serve(Async([](Context&, Request) -> Task<Reply> {
    co_await Sleep(0ns);
    throw 7;
  }));
  EXPECT_EQ(CallFails({}).code(), Code::kInternal);
  EXPECT_TRUE(log_->Has(LogLevel::kError, "/testee.Test/Call"));
}

TEST_P(CallTest, ARequestOverTheLimitIsRefusedByTheNameOfTheOption) {
  Serve(Blocking(Echo));
  Request request;
  request.set_payload(std::string(5U << 20U, 'x'));
  const Error error = CallFails(request);
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_NE(error.detail().find("--max_message_size"), std::string::npos) << error.ToString();
  ExpectEchoed(Call(Full()));
}

TEST_P(CallTest, AnAnswerOverTheLimitIsRefusedByTheNameOfTheOption) {
  Serve(Blocking([](Context&, const Request&) -> Reply {
    Response response;
    response.set_payload(std::string(5U << 20U, 'x'));
    return response;
  }));
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_NE(error.detail().find("--max_message_size"), std::string::npos) << error.ToString();
}

TEST_P(CallTest, TheLimitIsAnOption) {
  caller_options_.max_message_size = 8U << 20U;
  ServiceOptions options = Options();
  options.max_message_size = 8U << 20U;
  Serve(Blocking(Echo), std::move(options));
  Request request;
  request.set_payload(std::string(5U << 20U, 'x'));
  const Reply reply = Call(request);
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_TRUE(reply->payload() == request.payload());
}

TEST_P(CallTest, AnUnknownContentTypeIsRefusedBeforeItIsSent) {
  Serve(Blocking(Echo));
  const Error error = CallFails({}, {.content_type = "application/x-unknown"});
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_EQ(error.attempts(), 0);
  EXPECT_NE(error.detail().find("application/json"), std::string::npos) << error.detail();
}

// Protobuf's text form: what a user might add.
class TextCodec final : public Codec {
 public:
  std::string_view name() const override { return "text"; }
  Status Encode(const google::protobuf::Message& message, std::string& out) const override {
    std::string text;
    google::protobuf::TextFormat::PrintToString(message, &text);
    out += text;
    return Ok();
  }
  Status Decode(std::string_view bytes, google::protobuf::Message& message) const override {
    if (google::protobuf::TextFormat::ParseFromString(std::string(bytes), &message)) return Ok();
    return InvalidArgument("no text form");
  }
};

TEST_P(CallTest, AUsersCodecIsUsedOnBothSides) {
  plugins_.codecs.Add(std::make_shared<TextCodec>(), {"text/plain"});
  caller_options_ = Options("caller");
  Serve(Blocking(Echo));
  ExpectEchoed(Call(Full(), {.content_type = "text/plain"}));
}

TEST_P(CallTest, ACodecThatOnlyTheCallerHasIsRefusedByTheService) {
  Serve(Blocking(Echo));
  plugins_.codecs.Add(std::make_shared<TextCodec>(), {"text/plain"});
  caller_options_ = Options("caller");
  const Error error = CallFails({}, {.content_type = "text/plain"});
  EXPECT_EQ(error.code(), Code::kUnimplemented);
  EXPECT_EQ(error.phase(), Phase::kRemote);
  EXPECT_NE(error.detail().find("application/grpc+text"), std::string::npos) << error.detail();
}

TEST_P(CallTest, AMethodThatIsNotOverriddenIsUnimplemented) {
  Serve(std::make_shared<testee::TestHandler>());
  EXPECT_EQ(CallFails({}).code(), Code::kUnimplemented);
}

TEST_P(CallTest, AFullWorkerQueueRefusesAtOnce) {
  ServiceOptions options = Options();
  options.worker_threads = 1;
  options.worker_queue = 1;
  const Gate gate;
  std::atomic<int> entered = 0;
  Service& service = Serve(Blocking([&](Context&, const Request&) -> Reply {
                             ++entered;
                             gate.Wait();
                             return Response();
                           }),
                           std::move(options));
  std::vector<std::jthread> callers;
  std::atomic<int> answered = 0;
  const auto call = [&] { answered += test().Call({}, {.timeout = 30s}) ? 1 : 0; };
  caller();
  callers.emplace_back(call);
  ASSERT_TRUE(Eventually([&] { return entered == 1; }));
  callers.emplace_back(call);
  ASSERT_TRUE(Eventually([&] { return service.runtime().queued() == 1; }));
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_NE(error.detail().find("--worker_queue"), std::string::npos) << error.ToString();
  gate.Open();
  callers.clear();
  EXPECT_EQ(answered, 2);
}

TEST_P(CallTest, ABlockingCallOnALoopIsRefused) {
  Serve(Async([this](Context&, Request request) -> Task<Reply> {
    if (request.name() == "inner") co_return Text("never");
    co_return test().Call(Named("inner"));
  }));
  const Error error = CallFails(Named("outer"));
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  EXPECT_NE(error.detail().find("loop"), std::string::npos) << error.detail();
}

TEST_P(CallTest, AHandlerMayCallOthersThroughItsOwnService) {
  Service& front = Make(Options("front"));
  front.Handle(Async([&](Context& context, Request request) -> Task<Reply> {
    const testee::TestClient test("test", front.client());
    const Metadata metadata = {{"x-user", "a name too long to be kept in place"}};
    co_return co_await test.CallAsync(std::move(request),
                                      {.metadata = &metadata, .parent = &context});
  }));
  Serve(Blocking([](Context& context, const Request& request) {
    EXPECT_EQ(context.metadata().Get("x-user"), "a name too long to be kept in place");
    return Echo(context, request);
  }));
  ASSERT_TRUE(front.Start());
  const testee::TestClient client("front", caller().client());
  ExpectEchoed(client.Call(Full()));
}

TEST_P(CallTest, ManyCallersAreServedSideBySide) {
  Serve(Blocking(Echo));
  caller();
  std::atomic<int> answered = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < 20; ++call) {
        const std::string name = std::to_string(i * 100 + call);
        const Reply reply = test().Call(Named(name));
        answered += reply && reply->text() == "Hello " + name ? 1 : 0;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(answered, 320);
}

TEST_P(CallTest, ALoopOfAnotherRuntimeMayCall) {
  Serve(Blocking(Echo));
  Runtime other({.loops = 1});
  const auto call = [this]() -> Task<Result<bool>> {
    EventLoop* const before = EventLoop::Current();
    const Reply reply = co_await test().CallAsync(Full());
    ExpectEchoed(reply);
    co_return EventLoop::Current() == before;
  };
  EXPECT_EQ(Await(other.loop(0), call()), true);
}

}  // namespace
}  // namespace micro::e2e
