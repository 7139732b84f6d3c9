// What generated code does, on the files expected of the generator.

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "micro/runtime.h"

#include "greeter.micro.h"
#include "imports.micro.h"
#include "names.micro.h"
#include "streams.micro.h"

namespace micro {
namespace {

using ::helloworld::Request;
using ::helloworld::Response;

static_assert(std::is_copy_assignable_v<::helloworld::GreeterClient>);

/// A call with a greeter's messages, without a transport.
class GreeterCall final : public ServerCall {
 public:
  GreeterCall(Runtime& runtime, const std::string& name) : runtime_(runtime) {
    request_.set_name(name);
  }
  Context& context() override { return context_; }
  Runtime& runtime() override { return runtime_; }
  Status ReadRequest(google::protobuf::Message& request) override {
    request.CopyFrom(request_);
    return Ok();
  }
  Status WriteResponse(const google::protobuf::Message& response) override {
    response_.CopyFrom(response);
    return Ok();
  }
  internal::MessageStream& stream() override {
    throw std::logic_error("a greeter does not stream");
  }
  const std::string& greeting() const { return response_.greeting(); }

 private:
  Runtime& runtime_;
  Context context_;
  Request request_;
  Response response_;
};

struct Greeter : ::helloworld::GreeterHandler {
  Result<Response> Look(Context&, const Request& request) override {
    Response response;
    response.set_greeting("Look, " + request.name());
    return response;
  }
};

struct AsyncGreeter : ::helloworld::GreeterAsyncHandler {
  Task<Result<Response>> Look(Context&, Request request) override {
    Response response;
    response.set_greeting("Look, " + request.name());
    co_return response;
  }
};

TEST(GeneratedHandler, TellsItsMethods) {
  const ::helloworld::GreeterHandler handler;
  EXPECT_EQ(handler.name(), "helloworld.Greeter");
  ASSERT_EQ(handler.methods().size(), 3U);
  const MethodInfo& hello = handler.methods()[0].info;
  EXPECT_EQ(hello.path, "/helloworld.Greeter/Hello");
  EXPECT_EQ(hello.kind, MethodKind::kUnary);
  EXPECT_EQ(hello.request(), Request::descriptor());
  EXPECT_EQ(hello.response(), Response::descriptor());
}

TEST(GeneratedHandler, TellsWhatIsIdempotent) {
  const ::helloworld::GreeterAsyncHandler handler;
  EXPECT_FALSE(handler.methods()[0].info.idempotent);
  EXPECT_TRUE(handler.methods()[1].info.idempotent);
  EXPECT_TRUE(handler.methods()[2].info.idempotent);
}

TEST(GeneratedHandler, TellsWhatHasNoSideEffects) {
  const ::helloworld::GreeterAsyncHandler handler;
  EXPECT_FALSE(handler.methods()[0].info.no_side_effects);
  EXPECT_TRUE(handler.methods()[1].info.no_side_effects);
  EXPECT_FALSE(handler.methods()[2].info.no_side_effects);
}

TEST(GeneratedHandler, KeepsTheProtosSpellingOnTheWire) {
  const ::go::micro::names::lower_caseHandler handler;
  EXPECT_EQ(handler.methods()[0].info.path, "/go.micro.names.lower_case/say_hello");
  EXPECT_EQ(handler.methods()[1].info.path, "/go.micro.names.lower_case/delete");
}

TEST(GeneratedHandler, KnowsMessagesOfOtherFiles) {
  const ::imports::v1::ImporterHandler handler;
  EXPECT_EQ(handler.methods()[0].info.request()->full_name(), "shared.Outer.Inner");
  EXPECT_EQ(handler.methods()[0].info.response()->full_name(), "google.protobuf.Empty");
}

TEST(GeneratedHandler, TellsWhichSideStreams) {
  const ::streams::ClockHandler clock;
  ASSERT_EQ(clock.methods().size(), 3U);
  EXPECT_EQ(clock.methods()[0].info.kind, MethodKind::kServerStream);
  EXPECT_EQ(clock.methods()[1].info.kind, MethodKind::kUnary);
  EXPECT_EQ(clock.methods()[2].info.kind, MethodKind::kClientStream);
  EXPECT_EQ(::streams::ChatHandler().methods()[0].info.kind, MethodKind::kBidiStream);
}

class GeneratedServing : public testing::Test {
 protected:
  Status Serve(Handler& handler, std::size_t method, GreeterCall& call) {
    return Await(runtime_.NextLoop(), handler.methods()[method].serve(handler, call));
  }

  Runtime runtime_{{.loops = 1}};
  GreeterCall call_{runtime_, "Ann"};
};

TEST_F(GeneratedServing, RunsTheBlockingMethod) {
  Greeter greeter;
  ASSERT_TRUE(Serve(greeter, 1, call_));
  EXPECT_EQ(call_.greeting(), "Look, Ann");
}

TEST_F(GeneratedServing, RunsTheCoroutine) {
  AsyncGreeter greeter;
  ASSERT_TRUE(Serve(greeter, 1, call_));
  EXPECT_EQ(call_.greeting(), "Look, Ann");
}

TEST_F(GeneratedServing, AnswersUnimplementedForWhatIsNotOverridden) {
  Greeter greeter;
  AsyncGreeter async_greeter;
  for (Handler* handler :
       {static_cast<Handler*>(&greeter), static_cast<Handler*>(&async_greeter)}) {
    const Status status = Serve(*handler, 0, call_);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Code::kUnimplemented);
    EXPECT_EQ(status.error().detail(), "/helloworld.Greeter/Hello is not implemented");
  }
}

}  // namespace
}  // namespace micro
