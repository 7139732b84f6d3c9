// Greets NAME through the service "helloworld", as often as asked to, and says who answered if that
// is asked for.
//
//     helloworld-client [-n N] [--show_node] NAME

#include <iostream>
#include <string>

#include <micro/micro.h>

#include "helloworld.micro.h"

namespace {

micro::Result<std::string> NameOf(const micro::Service& service) {
  if (!service.status()) return micro::Failure(service.status().error());
  if (service.arguments().size() == 1) return service.arguments().front();
  micro::Error error(micro::Code::kInvalidArgument, "one NAME is needed: helloworld-client NAME");
  return micro::Failure(error.set_phase(micro::Phase::kConfigure));
}

micro::Status Greet(const helloworld::GreeterClient& greeter, const helloworld::Request& request,
                    bool show_node) {
  micro::CallInfo info;
  const auto response = greeter.Hello(request, {.info = &info});
  if (!response) return micro::Failure(response.error());
  std::cout << response->greeting();
  if (show_node) std::cout << " (" << info.node.id << " at " << info.node.address << ")";
  std::cout << std::endl;
  return micro::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  int times = 1;
  bool show_node = false;
  micro::Service service(
      {.name = "helloworld.client",
       .flags = {{.name = "n", .help = "how often to call", .value = &times},
                 {.name = "show_node", .help = "say who answered", .value = &show_node}},
       .arguments = "NAME"},
      argc, argv);
  const auto name = NameOf(service);
  if (!name) return micro::Fail(name.error());

  const helloworld::GreeterClient greeter("helloworld", service.client());
  helloworld::Request request;
  request.set_name(*name);
  for (int i = 0; i < times; ++i) {
    const micro::Status greeted = Greet(greeter, request, show_node);
    if (!greeted) return micro::Fail(greeted.error());
  }
}
