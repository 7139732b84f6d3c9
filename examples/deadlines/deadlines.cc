// Deadlines and cancellation in one program: a service that is too slow, one that calls it, and
// callers that do not wait for ever.
#include <chrono>
#include <cstdio>
#include <memory>

#include <micro/micro.h>

#include "helloworld.micro.h"

using helloworld::Request;
using helloworld::Response;
using namespace std::chrono_literals;

// [heed]
// Works in pieces, and stops when nobody waits for the rest.
struct Slow : helloworld::GreeterAsyncHandler {
  micro::Task<micro::Result<Response>> Hello(micro::Context& context, Request) override {
    for (int piece = 0; piece < 1000; ++piece) {
      if (context.cancelled()) {
        std::printf("the slow one stops\n");
        co_return micro::Cancelled("nobody waits any more");
      }
      co_await micro::Sleep(10ms);
    }
    co_return Response();
  }
};
// [/heed]

// [inherit]
// What it calls is part of what it serves: it ends with it, be it by deadline or by cancellation.
struct Front : helloworld::GreeterHandler {
  explicit Front(micro::Client& client) : slow("slow", client) {}
  micro::Result<Response> Hello(micro::Context& context, const Request& request) override {
    std::printf("the front has %s\n", context.remaining() <= 300ms ? "what is left" : "all day");
    return slow.Hello(request, {.parent = &context});
  }
  helloworld::GreeterClient slow;
};
// [/inherit]

int main(int argc, char** argv) {
  const micro::Plugins plugins = micro::DefaultPlugins();
  const auto options = [&](const char* name) {
    return micro::ServiceOptions{
        .name = name, .address = "127.0.0.1:0", .registry = "memory", .plugins = plugins};
  };
  micro::Service slow(options("slow"), argc, argv);
  slow.Handle(std::make_shared<Slow>());
  if (auto status = slow.Start(); !status) return micro::Fail(status.error());
  micro::Service front(options("front"), argc, argv);
  front.Handle(std::make_shared<Front>(front.client()));
  if (auto status = front.Start(); !status) return micro::Fail(status.error());

  // [call]
  helloworld::GreeterClient greeter("front", front.client());
  auto response = greeter.Hello({}, {.timeout = 300ms});
  if (!response && response.error().code() == micro::Code::kDeadlineExceeded) {
    std::printf("too late: %s\n", response.error().detail().c_str());
  }
  // [/call]
  return 0;
}
