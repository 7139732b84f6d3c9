// Errors and metadata in one program: what a handler says, and what its caller sees.
#include <cstdio>
#include <memory>

#include <micro/micro.h>

#include "helloworld.micro.h"

using helloworld::Request;
using helloworld::Response;

// [handler]
struct Greeter : helloworld::GreeterHandler {
  micro::Result<Response> Hello(micro::Context& context, const Request& request) override {
    if (request.name().empty()) return micro::InvalidArgument("a greeting needs a name");
    context.response_metadata().Add("x-greeter", "english");  // ahead of the answer
    context.trailers().Add("x-cost", "1");                    // behind it
    context.trailers().Add("x-digest-bin", "\x01\x02");       // any bytes, where the key says -bin
    Response response;
    response.set_greeting("Hello " + request.name());
    return response;
  }
};
// [/handler]

// [caller]
void Greet(const helloworld::GreeterClient& greeter, const std::string& name) {
  Request request;
  request.set_name(name);
  const micro::Metadata metadata = {{"x-tenant", "blue"}};
  micro::CallInfo info;
  auto response = greeter.Hello(request, {.metadata = &metadata, .info = &info});
  if (response) {
    std::printf("%s, by %s\n", response->greeting().c_str(),
                std::string(info.response_metadata.Get("x-greeter").value_or("?")).c_str());
    return;
  }
  const micro::Error& error = response.error();
  if (error.code() == micro::Code::kInvalidArgument) {
    std::printf("asked wrongly: %s\n", error.detail().c_str());
  } else if (error.phase() == micro::Phase::kResolve) {
    std::printf("nobody serves it: %s\n", error.detail().c_str());
  } else {
    std::printf("%s\n", error.ToString().c_str());  // with phase, node and attempts
  }
}
// [/caller]

int main(int argc, char** argv) {
  micro::Service service({.name = "helloworld", .address = "127.0.0.1:0", .registry = "memory"},
                         argc, argv);
  service.Handle(std::make_shared<Greeter>());
  if (auto status = service.Start(); !status) return micro::Fail(status.error());
  const helloworld::GreeterClient greeter("helloworld", service.client());
  Greet(greeter, "John");
  Greet(greeter, "");
  Greet(helloworld::GreeterClient("nobody", service.client()), "John");
  return 0;
}
