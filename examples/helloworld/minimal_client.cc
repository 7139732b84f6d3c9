// [client]
#include <cstdio>

#include <micro/micro.h>

#include "helloworld.micro.h"

int main(int argc, char** argv) {
  micro::Service service({.name = "helloworld.client"}, argc, argv);
  helloworld::GreeterClient greeter("helloworld", service.client());
  helloworld::Request request;
  request.set_name("John");
  auto response = greeter.Hello(request);
  if (!response) return micro::Fail(response.error());
  std::puts(response->greeting().c_str());
}
// [/client]
