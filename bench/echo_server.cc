// Our own echo server, with a coroutine handler or a blocking one.
#include <memory>
#include <utility>

#include <micro/micro.h>

#include "bench.micro.h"
#include "echo.h"

namespace {

class AsyncEcho final : public bench::EchoServiceAsyncHandler {
  micro::Task<micro::Result<bench::Echo>> Unary(micro::Context&, bench::Echo request) override {
    bench::Echo response;
    bench::Answer(request, response);
    co_return std::move(response);
  }
};

class BlockingEcho final : public bench::EchoServiceHandler {
  micro::Result<bench::Echo> Unary(micro::Context&, const bench::Echo& request) override {
    bench::Echo response;
    bench::Answer(request, response);
    return response;
  }
};

}  // namespace

int main(int argc, char** argv) {
  bool blocking = false;
  micro::Service service(
      {.name = "bench",
       .registry = "memory",
       .loops = 1,
       .flags = {{.name = "blocking", .help = "serve on the worker pool", .value = &blocking}}},
      argc, argv);
  if (blocking) {
    service.Handle(std::make_unique<BlockingEcho>());
  } else {
    service.Handle(std::make_unique<AsyncEcho>());
  }
  return service.Run();
}
