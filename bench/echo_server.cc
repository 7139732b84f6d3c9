// Our own echo server, with coroutine handlers or blocking ones.
#include <memory>
#include <utility>

#include <micro/micro.h>

#include "bench.micro.h"
#include "echo.h"
#include "pass_on.h"

namespace {

class AsyncEcho final : public bench::EchoServiceAsyncHandler {
  micro::Task<micro::Result<bench::Echo>> Unary(micro::Context&, bench::Echo request) override {
    bench::Echo response;
    bench::Answer(request, response);
    co_return std::move(response);
  }

  micro::Task<micro::Status> Stream(
      micro::Context&, micro::AsyncServerStream<bench::Echo, bench::Echo> stream) override {
    bench::Echo request;
    bench::Echo response;
    while (co_await stream.Read(request)) {
      bench::Answer(request, response);
      if (!co_await stream.Write(response)) break;
    }
    co_return stream.status();
  }
};

class BlockingEcho final : public bench::EchoServiceHandler {
  micro::Result<bench::Echo> Unary(micro::Context&, const bench::Echo& request) override {
    bench::Echo response;
    bench::Answer(request, response);
    return response;
  }

  micro::Status Stream(micro::Context&,
                       micro::ServerStream<bench::Echo, bench::Echo>& stream) override {
    bench::Echo request;
    bench::Echo response;
    while (stream.Read(request)) {
      bench::Answer(request, response);
      if (!stream.Write(response)) break;
    }
    return stream.status();
  }
};

}  // namespace

int main(int argc, char** argv) {
  bool blocking = false;
  int middlewares = 0;
  micro::Service service(
      {.name = "bench",
       .registry = "memory",
       .loops = 1,
       .flags = {{.name = "blocking", .help = "serve on the worker pool", .value = &blocking},
                 {.name = "middlewares", .help = "that do nothing", .value = &middlewares}}},
      argc, argv);
  for (int i = 0; i < middlewares; ++i) service.Use(bench::PassOn);
  if (blocking) {
    service.Handle(std::make_unique<BlockingEcho>());
  } else {
    service.Handle(std::make_unique<AsyncEcho>());
  }
  return service.Run();
}
