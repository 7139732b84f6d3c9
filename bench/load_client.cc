// Calls an echo server through our own client, as coroutines or blocking, and says what that takes.
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <micro/micro.h>

#include "bench.micro.h"
#include "echo.h"
#include "measurement.h"
#include "pass_on.h"

namespace {

struct Load {
  bench::EchoServiceClient echo;
  micro::EventLoop& loop;
  micro::CallOptions options;
  bench::Echo request;
  bench::Measurement measurement;
  std::atomic<int> callers{0};

  void OnEnded() {
    callers.fetch_sub(1);
    callers.notify_all();
  }
};

using Stream = micro::AsyncClientStream<bench::Echo, bench::Echo>;

micro::Task<void> CallInTurn(Load& load) {
  while (load.measurement.Runs()) {
    const auto start = bench::Clock::now();
    auto response = co_await load.echo.UnaryAsync(load.request, load.options);
    load.measurement.Add(start, response && bench::IsAnswer(load.request, *response));
  }
  load.OnEnded();
}

/// One message at a time.
micro::Task<void> PingPong(Load& load) {
  auto stream = load.echo.StreamAsync(load.options);
  bench::Echo response;
  while (load.measurement.Runs()) {
    const auto start = bench::Clock::now();
    const bool wrote = co_await stream.Write(load.request);
    const bool read = wrote && co_await stream.Read(response);
    load.measurement.Add(start, read && bench::IsAnswer(load.request, response));
    if (!read) break;
  }
  load.OnEnded();
}

micro::Task<void> WriteOn(Load& load, std::shared_ptr<Stream> stream) {
  bool more = true;
  while (more && load.measurement.Runs()) more = co_await stream->Write(load.request);
  stream->CloseSend();
}

/// As many messages as the stream takes.
micro::Task<void> Flood(Load& load) {
  auto stream = std::make_shared<Stream>(load.echo.StreamAsync(load.options));
  micro::Spawn(load.loop, WriteOn(load, stream));
  bench::Echo response;
  while (co_await stream->Read(response)) {
    load.measurement.Add(bench::IsAnswer(load.request, response));
  }
  const micro::Status status = co_await stream->Finish();
  if (!status) load.measurement.Add(false);
  load.OnEnded();
}

micro::Task<void> Caller(Load& load, const std::string& kind) {
  if (kind == "pingpong") return PingPong(load);
  if (kind == "flood") return Flood(load);
  return CallInTurn(load);
}

void RunOnLoop(Load& load, const std::string& kind, int outstanding) {
  load.callers = outstanding;
  for (int i = 0; i < outstanding; ++i) micro::Spawn(load.loop, Caller(load, kind));
  load.measurement.Wait();
  for (int left = load.callers; left > 0; left = load.callers) load.callers.wait(left);
}

void CallBlocking(Load& load) {
  while (load.measurement.Runs()) {
    const auto start = bench::Clock::now();
    auto response = load.echo.Unary(load.request, load.options);
    load.measurement.Add(start, response && bench::IsAnswer(load.request, *response));
  }
}

void RunBlocking(Load& load, int outstanding) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < outstanding; ++i) threads.emplace_back([&] { CallBlocking(load); });
  load.measurement.Wait();
}

}  // namespace

int main(int argc, char** argv) {
  bool blocking = false;
  bool json = false;
  int outstanding = 64;
  int bytes = 16;
  int middlewares = 0;
  double seconds = 1;
  std::string kind = "unary";
  micro::Service service(
      {.name = "bench.client",
       .registry = "memory",
       .loops = 1,
       .flags = {{.name = "blocking", .help = "call from threads", .value = &blocking},
                 {.name = "json", .help = "instead of protobuf", .value = &json},
                 {.name = "outstanding", .help = "calls at a time", .value = &outstanding},
                 {.name = "bytes", .help = "of data in each message", .value = &bytes},
                 {.name = "middlewares", .help = "that do nothing", .value = &middlewares},
                 {.name = "kind", .help = "unary, pingpong or flood", .value = &kind},
                 {.name = "seconds", .help = "how long to measure", .value = &seconds}}},
      argc, argv);
  if (!service.status()) return micro::Fail(service.status().error());
  for (int i = 0; i < middlewares; ++i) service.UseClient(bench::PassOn);
  Load load{.echo = bench::EchoServiceClient("bench", service.client()),
            .loop = service.runtime().loop(0),
            .options = {.addresses = {&service.options().address, 1}},
            .request = bench::Question(static_cast<std::size_t>(bytes)),
            .measurement = bench::Measurement(seconds)};
  if (json) load.options.content_type = "application/json";
  if (blocking) {
    RunBlocking(load, outstanding);
  } else {
    RunOnLoop(load, kind, outstanding);
  }
  load.measurement.Print();
  return load.measurement.good() ? 0 : 1;
}
