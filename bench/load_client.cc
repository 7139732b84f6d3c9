// Calls an echo server through our own client, as coroutines or blocking, and says what that takes.
#include <atomic>
#include <string>
#include <thread>

#include <micro/micro.h>

#include "bench.micro.h"
#include "echo.h"
#include "measurement.h"

namespace {

struct Load {
  bench::EchoServiceClient echo;
  micro::CallOptions options;
  bench::Measurement measurement;
  std::atomic<int> callers{0};
};

micro::Task<void> CallInTurn(Load& load) {
  const bench::Echo request = bench::Question();
  while (load.measurement.Runs()) {
    const auto start = bench::Clock::now();
    auto response = co_await load.echo.UnaryAsync(request, load.options);
    load.measurement.Add(start, response && response->data() == request.data());
  }
  load.callers.fetch_sub(1);
  load.callers.notify_all();
}

void RunOnLoop(Load& load, micro::EventLoop& loop, int outstanding) {
  load.callers = outstanding;
  for (int i = 0; i < outstanding; ++i) micro::Spawn(loop, CallInTurn(load));
  load.measurement.Wait();
  for (int left = load.callers; left > 0; left = load.callers) load.callers.wait(left);
}

void RunBlocking(Load& load) {
  const bench::Echo request = bench::Question();
  while (load.measurement.Runs()) {
    load.measurement.NoteCpu();
    const auto start = bench::Clock::now();
    auto response = load.echo.Unary(request, load.options);
    load.measurement.Add(start, response && response->data() == request.data());
  }
}

}  // namespace

int main(int argc, char** argv) {
  bool blocking = false;
  int outstanding = 64;
  double seconds = 1;
  micro::Service service(
      {.name = "bench.client",
       .registry = "memory",
       .loops = 1,
       .flags = {{.name = "blocking", .help = "call from a thread", .value = &blocking},
                 {.name = "outstanding", .help = "calls at a time", .value = &outstanding},
                 {.name = "seconds", .help = "how long to measure", .value = &seconds}}},
      argc, argv);
  if (!service.status()) return micro::Fail(service.status().error());
  Load load{.echo = bench::EchoServiceClient("bench", service.client()),
            .options = {.addresses = {&service.options().address, 1}},
            .measurement = bench::Measurement(seconds)};
  if (blocking) {
    RunBlocking(load);
  } else {
    RunOnLoop(load, service.runtime().loop(0), outstanding);
  }
  load.measurement.Print();
  return load.measurement.good() ? 0 : 1;
}
