// Which node a call goes to, in one program: a second node for one that is slow, another for one
// that failed, and a canary.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <micro/micro.h>

#include "helloworld.micro.h"

using helloworld::Request;
using helloworld::Response;
using namespace std::chrono_literals;

// Takes its time as long as anybody waits, answers, or fails.
struct Moody : helloworld::GreeterAsyncHandler {
  explicit Moody(std::string greeting) : greeting_(std::move(greeting)) {}
  micro::Task<micro::Result<Response>> Hello(micro::Context& context, Request request) override {
    while (request.name() == "slow" && greeting_ == "one" && !context.cancelled()) {
      co_await micro::Sleep(5ms);
    }
    if (request.name() == "fails" && greeting_ == "one") co_return micro::Internal("not today");
    Response response;
    response.set_greeting(greeting_);
    co_return response;
  }
  std::string greeting_;
};

int main(int argc, char** argv) {
  const micro::Plugins plugins = micro::DefaultPlugins();
  const auto options = [&](const char* name) {
    return micro::ServiceOptions{.name = name,
                                 .address = "127.0.0.1:0",
                                 .registry = "memory",
                                 .selector = "round_robin",
                                 .plugins = plugins};
  };
  micro::Service one(options("greeter"), argc, argv);
  one.Handle(std::make_shared<Moody>("one"));
  micro::ServiceOptions newer = options("greeter");
  newer.version = "2.1";
  newer.metadata = {{"tier", "canary"}};
  micro::Service two(newer, argc, argv);
  two.Handle(std::make_shared<Moody>("two"));
  for (micro::Service* service : {&one, &two}) {
    if (auto status = service->Start(); !status) return micro::Fail(status.error());
  }
  micro::Service caller(options("caller"), argc, argv);
  const helloworld::GreeterClient greeter("greeter", caller.client());
  Request request;

  // [filter]
  const micro::NodeFilter canary = {.version = "2.1", .labels = {{"tier", "canary"}}};
  auto response = greeter.Hello(request, {.filter = &canary});
  // [/filter]
  if (response) std::printf("the canary is %s\n", response->greeting().c_str());

  request.set_name("slow");
  for (int i = 0; i < 2; ++i) {
    // [hedge]
    response = greeter.Hello(request, {.timeout = 60s, .idempotent = true, .hedge_after = 20ms});
    // [/hedge]
    if (response) std::printf("in time: %s\n", response->greeting().c_str());
  }

  request.set_name("fails");
  for (int i = 0; i < 2; ++i) {
    // [retry]
    response = greeter.Hello(request, {.retry_if = micro::RetryLikeGoMicro});
    // [/retry]
    if (response) std::printf("not failed: %s\n", response->greeting().c_str());
  }
  return 0;
}
