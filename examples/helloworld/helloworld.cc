// [service]
#include <micro/micro.h>

#include "helloworld.micro.h"

struct Greeter : helloworld::GreeterHandler {
  micro::Result<helloworld::Response> Hello(micro::Context&,
                                            const helloworld::Request& request) override {
    helloworld::Response response;
    response.set_greeting("Hello " + request.name());
    return response;
  }
};

int main(int argc, char** argv) {
  micro::Service service({.name = "helloworld"}, argc, argv);
  service.Handle(std::make_unique<Greeter>());
  return service.Run();
}
// [/service]
